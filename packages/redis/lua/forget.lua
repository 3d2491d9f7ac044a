-- rarely.forget(field): has `flush` delete a field, before it writes those that changed
function rarely.forget(field)
  forgotten[#forgotten + 1] = field
end

-- rarely.drop(): deletes what is forgotten, a few thousand a call because `unpack` needs stack for each
function rarely.drop()
  for first = 1, #forgotten, 4000 do
    call('HDEL', account_key, unpack(forgotten, first, min(first + 3999, #forgotten)))
  end
  forgotten = {}
end
