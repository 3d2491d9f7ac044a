-- balance: how the account stands
-- KEYS:
-- ARGV:
-- reply: balance balance reserved
commands.balance = function()
  return 'balance ' .. balance .. ' ' .. reserved
end
