-- grant: credits coming in, once an id
-- KEYS: journal grants
-- ARGV: grant amount reason
-- reply: granted amount replayed? balance reserved
-- reply: grant_conflict amount balance reserved
-- reply: grant_overflow balance reserved

local function granted_reply(account, amount, replayed)
  return string.format('granted %.0f %.0f %.0f %.0f', amount, replayed, account.balance, account.reserved)
end

commands.grant = function(account)
  account.journal = key('journal')
  local grants = key('grants')
  local id, amount, reason = text('grant'), number('amount'), text('reason')
  local known = tonumber(redis.call('HGET', grants, id) or nil)
  if known == amount then return granted_reply(account, amount, 1) end
  if known then return string.format('grant_conflict %.0f %.0f %.0f', known, account.balance, account.reserved) end
  if account.balance + amount > MAX_AMOUNT then
    return string.format('grant_overflow %.0f %.0f', account.balance, account.reserved)
  end

  post(account, 'grant', amount, 0, id, reason)
  flush(account) -- before the id is taken: a grant that is remembered has been posted
  redis.call('HSET', grants, id, string.format('%.0f', amount))
  return granted_reply(account, amount, 0)
end
