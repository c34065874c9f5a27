-- Visitors of many links: each click with a sub id that repeats, one that does not, and consent to a cookie.
-- The first argument is a pause in milliseconds before each request of a connection; 0 for as fast as it goes.
local pause, count = 0, 0

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
