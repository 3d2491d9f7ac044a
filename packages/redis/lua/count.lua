-- count: adds to counters. They are a hash: `week:counter`, and `week`, the one in which it was last counted; its first
-- count drops what is two weeks old and lets all expire once nothing of this week can be asked for.
-- KEYS: counters
-- ARGV: counter by
--   these two again and again
-- reply: counted
local name = key('counters')
if call('HGET', name, 'week') ~= WEEK then
  for _, field in ipairs(call('HKEYS', name)) do
    if not is_current(field) then call('HDEL', name, field) end
  end
  call('HSET', name, 'week', WEEK)
  call('PEXPIRE', name, format('%d', 2 * WEEK_MS))
end
while args_read < #ARGV do call('HINCRBY', name, WEEK .. ':' .. text('counter'), text('by')) end
return 'counted\n'
