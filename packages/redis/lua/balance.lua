-- balance: how the account stands
-- KEYS:
-- ARGV: budgets
-- reply: balance provisioned? balance reserved
--   then what is spent and held in each budget, a line each
commands.balance = function()
  local scopes = text('budgets')
  local told = scopes == '' and '' or plan.tell_budgets(scopes)
  return 'balance ' .. provisioned .. ' ' .. balance .. ' ' .. reserved .. '\n' .. told
end
