-- entries: the journal, in order, from behind the entry `after`, at most `limit`
-- KEYS: journal
-- ARGV: after limit
-- reply: entries
--   then a line for each entry, as journal.lua writes it
commands.entries = function(account)
  account.journal = key('journal')
  local after, limit = number('after') or 0, number('limit')
  flush(account)
  local lines = {}
  if limit > 0 then
    lines = redis.call('LRANGE', account.journal, string.format('%.0f', after), string.format('%.0f', after + limit - 1))
  end
  table.insert(lines, 1, 'entries')
  return table.concat(lines, '\n')
end
