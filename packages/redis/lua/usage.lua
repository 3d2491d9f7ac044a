-- A day's usage is one field: ` product=calls:charged`, and `:refunded` where there was a refund, for each product, percent-encoded, so that none of these
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

-- used(calls, charged, refunded): as it is written
local function used(calls, charged, refunded)
  if refunded == 0 then return format('%d:%d', calls, charged) end
  return format('%d:%d:%d', calls, charged, refunded)
end

-- count(product, calls, charge, refund): adds to what a product was used today
local function count(product, calls, charge, refund)
  if usage_day ~= TODAY or not usage then open_day() end
  local name = ' ' .. product .. '='
  local _, at = string.find(usage, name, 1, true)
  if at then
    local called, charged, refunded, rest = match(usage, '^(%d+):(%d+):?(%d*)(.*)', at + 1)
    usage = string.sub(usage, 1, at) .. used(called + calls, charged + charge, (refunded == '' and 0 or refunded) + refund) .. rest
  else
    usage = usage .. name .. used(calls, charge + 0, refund)
  end
  change(USAGE_TODAY, usage)
end

-- count_usage(product, charge): counts a settled call
local function count_usage(product, charge)
  count(product, 1, charge, 0)
end

-- count_refund(product, amount): counts a refund, on the day when it is given
local function count_refund(product, amount)
  count(product, 0, 0, amount)
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
