-- A reservation's field: its kind, since when it is of this kind, its ceiling, and
--   o (open)               how long it lasts
--   s, l, r (settled, settled late, released)   charge, shortfall

-- find(id): the parts of a reservation that still counts, or nil. One that has run out is swept by then, one that
-- was closed may only be forgotten later.
local function find(id)
  local value = reservations[id]
  if not value then return nil end
  local kind, since, ceiling, third, fourth = match(value, '^(%a)(%d+) (%d+) (%d+) ?(%d*)$')
  if kind ~= 'o' and since + CLOSED_KEPT_MS <= now then return nil end
  return kind, since, ceiling, third, fourth
end

-- put(id, value): remembers a reservation
local function put(id, value)
  reservations[id] = value
  change(id, value)
end
