package main

// A bug is a few edits that make the operator a worse one.
type bug struct {
	name  string
	edits []edit
}

// An edit replaces a text that a file has exactly once.
type edit struct{ file, from, to string }

var bugs = []bug{
	{"publish before checking expiry", []edit{
		{"controllers/obtain.go", "case err == nil && !got.Life.ExpiresAt.IsZero() && !v.now.Before(got.Life.ExpiresAt):", "case false:"},
		{"controllers/obtain.go", " && !p.rec.expired(v.now) {", " {"},
		{"controllers/write.go", "if p.rec.expired(r.Clock.Now()) {", "if false {"},
	}},
	{"forget the persisted back-off", []edit{
		// A process knows the failed attempts that it has made itself, and no others.
		{"controllers/view.go", "	attemptUnchanged bool\n", "	attemptUnchanged, forgotten bool\n"},
		{"controllers/observe.go", "	v.intent, v.intentErr = intentOf(&obj.Spec)\n", "	v.intent, v.intentErr = intentOf(&obj.Spec)\n	v.forgotten = mem.client.attempt == \"\"\n"},
		{"controllers/plan.go", "	last := status.LastAttempt\n	if last == nil {", "	last := status.LastAttempt\n	if last == nil || v.forgotten {"},
	}},
	{"trust a stale cache", []edit{
		{"controllers/lag.go", "if !older(obj.ResourceVersion, mem.objectVersion) {", "if true {"},
		{"controllers/lag.go", "if nothingToLose || ", "if nothingToLose || true || "},
		{"controllers/observe.go", "if known && lags(found, t.version, seen.version) {", "if false {"},
		{"controllers/observe.go", "if last != nil && last.Asked == v.intent.asked && lags(true, v.client.version, last.ClientSecretVersion) {", "if false {"},
	}},
}
