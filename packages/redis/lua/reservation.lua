-- A reservation's field: when it is over, its kind, its ceiling, and
--   o (open)               how long after `reservedAt` it is over
--   s, l, r (settled, settled late, released)   charge, shortfall
-- A closed one is over once it need not be remembered any more.

-- find(account, id): the reservation that still counts, or nil
local function find(account, id)
  local value = account.reservations[id]
  if not value then return nil end
  local over_at, kind, ceiling, third, shortfall = string.match(value, '^(%d+)(%a)(%d+) (%d+) ?(%d*)$')
  over_at = tonumber(over_at)
  if over_at <= now then return nil end
  if kind == 'o' then
    return { open = true, ceiling = tonumber(ceiling), expires_at = over_at, reserved_at = over_at - third }
  end
  return { kind = kind, ceiling = tonumber(ceiling), charge = tonumber(third), shortfall = tonumber(shortfall) }
end

-- put(account, id, value): remembers a reservation
local function put(account, id, value)
  account.reservations[id] = value
  change(account, id, value)
end

-- put_open(account, id, ceiling, reserved_at, expires_at)
local function put_open(account, id, ceiling, reserved_at, expires_at)
  put(account, id, string.format('%.0fo%.0f %.0f', expires_at, ceiling, expires_at - reserved_at))
end

-- put_closed(account, id, closed)
local function put_closed(account, id, closed)
  put(account, id, string.format('%.0f%s%.0f %.0f %.0f',
    now + CLOSED_KEPT_MS, closed.kind, closed.ceiling, closed.charge, closed.shortfall))
end
