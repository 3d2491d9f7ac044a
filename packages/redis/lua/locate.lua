-- locate: where an operation is kept
-- KEYS: place
-- ARGV:
-- reply: located
--   then the place
-- reply: not_located
local kept_until, place = match(call('GET', key('place')) or '0 ', '^(%d+) (.*)$')
if kept_until + 0 <= now then return 'not_located\n' end
return 'located\n' .. place
