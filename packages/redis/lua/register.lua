-- register: where an operation is kept; the same place again keeps it longer, never shorter
-- KEYS: place
-- ARGV: place keptMs
-- reply: registered
-- reply: taken
local name, place, kept_until = key('place'), text('place'), now + number('keptMs')
local known_until, known = match(call('GET', name) or '0 ', '^(%d+) (.*)$')
if known_until + 0 > now and known ~= place then return 'taken\n' end
if known_until + 0 <= now or known_until + 0 < kept_until then
  call('SET', name, format('%d', kept_until) .. ' ' .. place, 'PX', lasting(kept_until))
end
return 'registered\n'
