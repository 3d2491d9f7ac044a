-- usage: what was settled in the last USAGE_DAYS days
-- KEYS:
-- ARGV:
-- reply: usage today
--   then a line for each day: its number, and its field
commands.usage = function()
  flush()
  local lines = rarely.usage_days()
  for i, day in ipairs(lines) do lines[i] = day .. call('HGET', account_key, ':u' .. day) end
  return 'usage ' .. TODAY .. '\n' .. table.concat(lines, '\n')
end
