-- counts: the counters of this week and the last one
-- KEYS: counters
-- ARGV:
-- reply: counts
--   then a line for each, `counter count`; a counter has one for each week
local fields, lines = call('HGETALL', key('counters')), {}
for i = 1, #fields, 2 do
  if is_current(fields[i]) then lines[#lines + 1] = match(fields[i], ':(.*)') .. ' ' .. fields[i + 1] end
end
return 'counts\n' .. table.concat(lines, '\n')
