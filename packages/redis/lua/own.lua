-- rarely.own(name): a field of the account's own that is not read with every account; false: there is none
function rarely.own(name)
  own_fields = own_fields or {}
  if own_fields[name] == nil then own_fields[name] = not complete and call('HGET', account_key, name) end
  return own_fields[name]
end

-- rarely.put_own(name, value): has `flush` write such a field
function rarely.put_own(name, value)
  own_fields = own_fields or {}
  own_fields[name] = value
  change(name, value)
end
