-- grant: credits coming in, once an id
-- KEYS: journal grants
-- ARGV: grant amount reason
-- reply: granted amount replayed? balance reserved
-- reply: grant_conflict amount balance reserved
-- reply: grant_overflow balance reserved
commands.grant = function()
  journal_key = key('journal')
  local grants = key('grants')
  local id, amount, reason = text('grant'), text('amount'), text('reason')
  local known = call('HGET', grants, id)
  if known == amount then return 'granted ' .. amount .. ' ' .. '1' .. ' ' .. balance .. ' ' .. reserved end
  if known then return 'grant_conflict ' .. known .. ' ' .. balance .. ' ' .. reserved end
  if balance + amount > MAX_AMOUNT then return 'grant_overflow ' .. balance .. ' ' .. reserved end

  post('grant', amount, '0', id, reason)
  flush() -- before the id is taken: a grant that is remembered has been posted
  call('HSET', grants, id, amount)
  return 'granted ' .. amount .. ' ' .. '0' .. ' ' .. balance .. ' ' .. reserved
end
