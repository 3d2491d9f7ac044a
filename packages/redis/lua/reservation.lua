-- A reservation's field: its kind, since when it is of this kind, its ceiling, and
--   o (open)               how long it lasts, and what it holds of lots, `grant:amount` with commas, if it does
--   s, l, r (settled, settled late, released)   charge, shortfall

-- field(id): a reservation as it is written. One that no command of the batch names is read when it is needed.
local function field(id)
  local value = reservations[id]
  if value == nil then
    value = call('HGET', account_key, id)
    reservations[id] = value
  end
  return value
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

-- sweep_by(time): has the account swept at this time, or before
local function sweep_by(time)
  if sweep_at ~= '0' and sweep_at + 0 <= time then return end
  sweep_at = format('%d', time)
  change(':sweepAt', sweep_at)
end

-- open_field(since, ceiling, lasts, shares): an open reservation as it is written
local function open_field(since, ceiling, lasts, shares)
  local value = 'o' .. since .. ' ' .. ceiling .. ' ' .. lasts
  return shares == '' and value or value .. ' ' .. shares
end

-- unhold(ceiling, shares): gives back what a reservation holds
local function unhold(ceiling, shares)
  hold(-ceiling)
  if shares ~= '' then lots.change('held', shares, -1) end
end
