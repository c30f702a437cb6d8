-- One thread of wrk with one connection is one client. It keeps a log of what it asked to have written and what was
-- acknowledged: "?" before a request and "+" after its answer, so that an unanswered one is known too.

local clients = 0

function setup(thread)
  clients = clients + 1
  thread:set("client", clients)
end

function init(args)
  local folder = args[1]
  day, page, propose, act = args[2], args[3], args[4], args[5]
  local number = 0
  for line in io.lines(folder .. "/cookies") do
    number = number + 1
    if number == client then cookie = line end
  end
  token = cookie:match("csrftoken=(%w+)")
  log = io.open(folder .. "/client-" .. client .. ".log", "w")
  log:setvbuf("line")
  get = { ["Cookie"] = cookie }
  post = { ["Cookie"] = cookie, ["Content-Type"] = "application/x-www-form-urlencoded" }
  step = client  -- so that not all do the same at the same time
  titles = 0
  attends = false
end

function request()
  step = step + 1
  local turn = step % 10
  if turn == 0 then
    titles = titles + 1
    asked = "propose\tLoad " .. client .. "." .. titles
    log:write("?\t", asked, "\n")
    local body = "csrfmiddlewaretoken=" .. token .. "&title=Load+" .. client .. "." .. titles ..
      "&track=engine&description=What+is+written+under+load&minutes=60&seats=20"
    return wrk.format("POST", propose, post, body)
  elseif turn == 5 then
    attends = not attends
    local what = attends and "attend" or "leave"
    asked = what .. "\t"
    log:write("?\t", asked, "\n")
    return wrk.format("POST", act .. what .. "/", post, "csrfmiddlewaretoken=" .. token)
  end
  asked = nil
  return wrk.format("GET", turn % 3 == 0 and page or day, get)
end

function response(status)
  if asked and status == 302 then
    log:write("+\t", asked, "\n")
  elseif asked or status ~= 200 then
    log:write("!\t", asked or "read", "\t", status, "\n")
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format("RESULT %d %d %d %d %d", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50), latency:percentile(99)))
end
