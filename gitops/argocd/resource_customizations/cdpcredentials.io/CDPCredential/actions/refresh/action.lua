-- Each new value of the annotation requests one new token at once.
local os = require("os")
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["cdpcredentials.io/refresh-requested-at"] = os.date("!%Y-%m-%dT%H:%M:%SZ")
return obj
