-- A reservation's field: its kind, since when it is of this kind, its ceiling, and
--   o (open)               how long it lasts, and what it holds of lots, `grant:amount` with commas, if it does
--   s, l, r (settled, settled late, released)   charge, shortfall
local OPEN, COLON = string.byte('o:', 1, 2)

-- field(id): a reservation as it is written. One that no command of the batch names is read when it is needed.
local function field(id)
  local value = reservations[id]
  if value == nil then
    value = call('HGET', account_key, id)
    reservations[id] = value
  end
  return value
end

-- read_all(): reads all that are not at hand
local function read_all()
  if complete then return end
  complete = true
  local fields = call('HGETALL', account_key)
  for i = 1, #fields, 2 do
    if string.byte(fields[i]) ~= COLON and reservations[fields[i]] == nil then reservations[fields[i]] = fields[i + 1] end
  end
end

-- find(id): the parts of a reservation that still counts, or nil. One that has run out is swept by then, one that
-- was closed may only be forgotten later.
local function find(id)
  local value = field(id)
  if not value then return nil end
  local kind, since, ceiling, third, fourth = match(value, '^(%a)(%d+) (%d+) (%d+) ?(%S*)$')
  if kind ~= 'o' and since + CLOSED_KEPT_MS <= now then return nil end
  return kind, since, ceiling, third, fourth
end

-- put(id, value): remembers a reservation
local function put(id, value)
  reservations[id], deadlines = value, nil
  change(id, value)
end

-- open_field(since, ceiling, lasts, shares): an open reservation as it is written
local function open_field(since, ceiling, lasts, shares)
  local value = 'o' .. since .. ' ' .. ceiling .. ' ' .. lasts
  return shares == '' and value or value .. ' ' .. shares
end

-- over_at(value): when a reservation is over, what it holds until then, and which shares of lots
local function over_at(value)
  if string.byte(value) ~= OPEN then return match(value, '%d+') + CLOSED_KEPT_MS end
  local since, ceiling, lasts, shares = match(value, '(%d+) (%d+) (%d+) ?(%S*)')
  return since + lasts, ceiling + 0, shares
end

-- prolong(id, expires_at): moves the deadline of an open reservation, never to an earlier time: when it expires now,
-- or nil where it is not open
local function prolong(id, expires_at)
  local kind, since, ceiling, lasts, shares = find(id)
  if kind ~= 'o' then return nil end
  if since + lasts >= expires_at then return since + lasts, since end
  put(id, open_field(since, ceiling, format('%d', expires_at - since), shares))
  return expires_at, since
end
