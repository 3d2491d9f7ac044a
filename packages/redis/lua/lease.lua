-- lease: who may do what only one is to do
-- KEYS: lease
-- ARGV: owner ttlMs
-- reply: leased
-- reply: not_leased
local name, owner, lasts = key('lease'), text('owner'), now + number('ttlMs')
local lasted, holder = match(call('GET', name) or '0 ', '^(%d+) (.*)$')
if lasted + 0 > now and holder ~= owner then return 'not_leased\n' end
call('SET', name, format('%d', lasts) .. ' ' .. owner, 'PX', lasting(lasts))
return 'leased\n'
