-- A reservation's field: its kind, since when it is of this kind, its ceiling, and
--   o (open)               how long it lasts, what it holds of lots, `grant:amount` with commas, and in which windows, see budgets.lua
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
  local kind, since, ceiling, third, fourth, windows = match(value, '^(%a)(%d+) (%d+) (%d+) ?(%S*) ?(%S*)$')
  if kind ~= 'o' and since + CLOSED_KEPT_MS <= now then return nil end
  return kind, since, ceiling, third, fourth, windows
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

-- open_field(since, ceiling, lasts, shares, windows): an open reservation as it is written
local function open_field(since, ceiling, lasts, shares, windows)
  local value = 'o' .. since .. ' ' .. ceiling .. ' ' .. lasts
  if windows ~= '' then return value .. ' ' .. shares .. ' ' .. windows end
  return shares == '' and value or value .. ' ' .. shares
end

-- unhold(ceiling, shares, windows, charge): gives back what a reservation holds; its budgets keep what it was charged
local function unhold(ceiling, shares, windows, charge)
  hold(-ceiling)
  if shares ~= '' then lots.change('held', shares, -1) end
  if windows ~= '' then plan.give_back(windows, ceiling, charge) end
end
