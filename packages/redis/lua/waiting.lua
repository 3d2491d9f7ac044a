-- waiting: of each of these partitions the accounts that have waited longest for the sink
-- KEYS: waiting
--   again and again
-- ARGV: limit
-- reply: waiting
--   then a line for each, `since account`
local last, lines = format('%d', number('limit') - 1), {}
while keys_read < #KEYS do
  local found = call('ZRANGE', key('waiting'), '0', last, 'WITHSCORES')
  for i = 1, #found, 2 do lines[#lines + 1] = found[i + 1] .. ' ' .. found[i] end
end
return 'waiting\n' .. table.concat(lines, '\n')
