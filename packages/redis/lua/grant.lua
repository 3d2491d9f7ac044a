-- grant: credits coming in, once an id; a grant of nothing only takes its id, and those of a recurring allowance are taken
-- KEYS: grants
-- ARGV: grant amount reason source priority expiresAt
-- reply: granted amount replayed? balance reserved
-- reply: grant_conflict amount balance reserved
-- reply: grant_overflow balance reserved
commands.grant = function()
  local grants = key('grants')
  local id, amount, reason, source, priority, ends = text('grant'), text('amount'), text('reason'), text('source'), number('priority'), number('expiresAt')
  local known = call('HGET', grants, id)
  if known == amount then return 'granted ' .. amount .. ' ' .. '1' .. ' ' .. balance .. ' ' .. reserved end
  if known then return 'grant_conflict ' .. known .. ' ' .. balance .. ' ' .. reserved end
  if match(id, '^allowance%%3A%d%d%d%d%-%d%d%-%d%d$') or match(id, '^rollover%%3A%d%d%d%d%-%d%d%-%d%d$') then
    return 'grant_conflict 0 ' .. balance .. ' ' .. reserved
  end
  if balance + amount > MAX_AMOUNT then return 'grant_overflow ' .. balance .. ' ' .. reserved end

  if amount ~= '0' then lots.add(id, amount, priority, ends, source, reason, now) end
  flush() -- before the id is taken: a grant that is remembered has been posted
  call('HSET', grants, id, amount)
  return 'granted ' .. amount .. ' ' .. '0' .. ' ' .. balance .. ' ' .. reserved
end
