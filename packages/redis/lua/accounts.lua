-- accounts: the keys of accounts on this server, a page at a time
-- KEYS:
-- ARGV: cursor pattern
-- reply: accounts
--   then the next cursor, 0 when that was all, and the keys, a line each
local page = call('SCAN', text('cursor'), 'MATCH', text('pattern'), 'COUNT', '500')
return 'accounts\n' .. page[1] .. '\n' .. table.concat(page[2], '\n')
