-- entries: the journal, in order, from behind the entry `after`, at most `limit`
-- KEYS:
-- ARGV: after limit
-- reply: entries
--   then a line for each entry, as journal.lua writes it
commands.entries = function()
  local after, limit = tonumber(text('after')) or 0, number('limit')
  flush()
  local lines = limit > 0 and call('LRANGE', journal_key, format('%d', after), format('%d', after + limit - 1)) or {}
  return 'entries\n' .. table.concat(lines, '\n')
end
