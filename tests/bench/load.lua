-- Visitors of many links: each click with a sub id that repeats, one that does not, and consent to a cookie.
-- The first argument is a pause in milliseconds before each request of a connection; 0 for as fast as it goes.
-- At the end it says how many answers were something else than a redirect: wrk itself takes any page for a success.
local pause, count = 0, 0
local threads = {}
others = 0 -- global, because only then can `done` ask for it

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  pause = tonumber(args[1] or "0")
  math.randomseed(os.time())
end

function delay()
  return pause == 0 and 0 or math.random(0, 2 * pause)
end

function request()
  count = count + 1
  local path = "/r/bench" .. count % 100 .. "?sub1=letter" .. count % 50 .. "&sub2=" .. count .. "&cons=1"
  return wrk.format("GET", path)
end

function response(status)
  if status ~= 302 then
    others = others + 1
  end
end

function done()
  local all = 0
  for _, thread in ipairs(threads) do
    all = all + thread:get("others")
  end
  print("No redirects: " .. all)
end
