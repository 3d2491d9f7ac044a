-- export_journal: whether stores mark the accounts that wait for the sink; with `on` 1, those that are opened from now on do
-- KEYS: export
-- ARGV: on
-- reply: journal_exported
--   then 1 where they do
local name = key('export')
if text('on') == '1' then call('SET', name, '1') end
return 'journal_exported\n' .. (call('GET', name) or '')
