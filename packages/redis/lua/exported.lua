-- exported: how far the account's entries have gone on to the sink; it waits for the sink, or not, as that says
-- KEYS: waiting
-- ARGV: upTo
-- reply: exported exported waiting
commands.exported = function()
  local waiting, up_to, account = key('waiting'), number('upTo'), match(account_key, '.*:(.*)')
  flush()
  local known, length = (call('HGET', account_key, ':exported') or '0') + 0, call('LLEN', journal_key)
  local cursor = max(known, min(up_to, length))
  -- First: entries of which nobody knows that they wait would stay behind.
  if cursor > known then call('HSET', account_key, ':exported', format('%d', cursor)) end
  if length == cursor then call('ZREM', waiting, account)
  -- Whoever has had a turn goes behind the others.
  elseif cursor > known then call('ZADD', waiting, NOW, account)
  else call('ZADD', waiting, 'NX', NOW, account) end
  return 'exported ' .. format('%d', cursor) .. ' ' .. format('%d', length - cursor)
end
