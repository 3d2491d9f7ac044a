-- balance: how the account stands
-- KEYS:
-- ARGV:
-- reply: balance provisioned? balance reserved
commands.balance = function()
  return 'balance ' .. provisioned .. ' ' .. balance .. ' ' .. reserved
end
