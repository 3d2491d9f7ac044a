-- A day's usage is one field: ` product=calls:charged` for each product, percent-encoded, so that none of these
-- signs is part of a name.

-- open_day(account): notes that today has usage, and drops the days that fell out of the window
local function open_day(account)
  local kept, old = {}, {}
  for day in string.gmatch(redis.call('HGET', account.key, ':days') or '', '%S+') do
    if tonumber(day) > today - USAGE_DAYS then kept[#kept + 1] = day else old[#old + 1] = ':u' .. day end
  end
  if not account.usage then
    account.usage = ''
    kept[#kept + 1] = string.format('%.0f', today)
  end
  forget(account, old)
  change(account, ':days', table.concat(kept, ' '))
  account.usage_day = today
end

-- count_usage(account, product, charge): counts a settled call
local function count_usage(account, product, charge)
  if account.usage_day ~= today or not account.usage then open_day(account) end
  local usage, name = account.usage, ' ' .. product .. '='
  local _, at = string.find(usage, name, 1, true)
  if at then
    local _, to, calls, charged = string.find(usage, '^(%d+):(%d+)', at + 1)
    account.usage = string.sub(usage, 1, at) .. string.format('%.0f:%.0f', calls + 1, charged + charge) .. string.sub(usage, to + 1)
  else
    account.usage = usage .. name .. string.format('1:%.0f', charge)
  end
  account.usage_changed = true
end

-- usage: what was settled in the last USAGE_DAYS days
-- KEYS:
-- ARGV:
-- reply: usage today
--   then a line for each day: its number, and its field as usage.lua writes it
commands.usage = function(account)
  flush(account)
  local days = {}
  for day in string.gmatch(redis.call('HGET', account.key, ':days') or '', '%S+') do
    if tonumber(day) > today - USAGE_DAYS then days[#days + 1] = day end
  end
  local lines = { string.format('usage %.0f', today) }
  for i, day in ipairs(days) do lines[i + 1] = day .. redis.call('HGET', account.key, ':u' .. day) end
  return table.concat(lines, '\n')
end
