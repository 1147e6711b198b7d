-- A suspended object is not refreshed, whoever asks.
return {refresh = {disabled = obj.spec.suspend == true}}
