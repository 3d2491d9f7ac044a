-- A day's usage is one field: ` product=calls:charged` for each product, percent-encoded, so that none of these
-- signs is part of a name.

-- usage_days(): the days that have usage and are in the window, and the fields of those that are not any more
local function usage_days()
  local days, old = {}, {}
  for day in string.gmatch(call('HGET', account_key, ':days') or '', '%d+') do
    if day + USAGE_DAYS > today then days[#days + 1] = day else old[#old + 1] = ':u' .. day end
  end
  return days, old
end

-- open_day(): notes that today has usage, and drops the days that fell out of the window
local function open_day()
  local days, old = usage_days()
  if not usage then
    usage = ''
    days[#days + 1] = TODAY
  end
  for _, field in ipairs(old) do forget(field) end
  usage_day = TODAY
  change(':days', table.concat(days, ' '))
  change(':usageDay', TODAY)
end

-- count_usage(product, charge): counts a settled call
local function count_usage(product, charge)
  if usage_day ~= TODAY or not usage then open_day() end
  local name = ' ' .. product .. '='
  local _, at = string.find(usage, name, 1, true)
  if at then
    local calls, charged, rest = match(usage, '^(%d+):(%d+)(.*)', at + 1)
    usage = string.sub(usage, 1, at) .. format('%d:%d', calls + 1, charged + charge) .. rest
  else
    usage = usage .. name .. '1:' .. charge
  end
  change(USAGE_TODAY, usage)
end

-- usage: what was settled in the last USAGE_DAYS days
-- KEYS:
-- ARGV:
-- reply: usage today
--   then a line for each day: its number, and its field
commands.usage = function()
  flush()
  local lines = usage_days()
  for i, day in ipairs(lines) do lines[i] = day .. call('HGET', account_key, ':u' .. day) end
  return 'usage ' .. TODAY .. '\n' .. table.concat(lines, '\n')
end
