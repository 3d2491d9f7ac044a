-- flush(): writes what changed. The journal comes first: should its key hold something else, the script stops
-- here and nothing of the account has been written; all other keys were read, so they can be written. Only the mark for
-- the journal's sink comes before it, for a mark without an entry does no harm.
local function flush()
  if posted > 0 then
    if exporting then call('ZADD', waiting_key, 'NX', NOW, match(account_key, '.*:(.*)')) end
    call('RPUSH', journal_key, unpack(entries, 1, posted))
    posted = 0
  end
  if #forgotten > 0 then rarely.drop() end
  if budgets_changed then plan.save_budgets() end
  if changed > 0 then
    call('HSET', account_key, unpack(changes, 1, changed))
    changed = 0
  end
  if unwritten_count > 0 then records.write() end
end
