// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestParsePersistedStateRefusesWhatIsNotOurs: what cannot be read, or is of another object, is no record; the token beside it then counts as edited.
func TestParsePersistedStateRefusesWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	const good = `{"salt":"c2FsdA==","object":"etl","issuedAt":"2026-03-01T11:00:00.5Z","expiresAt":"2026-03-01T12:00:00.5Z","asked":"a","client":"c/7",` +
		`"request":"r","shape":"s","token":"seal","data":"d","keys":["token"],"cause":"Renewal","handled":"today","issuance":{"day":"2026-03-01","count":3}}`
	tests := map[string]struct {
		text, object string
		readable     bool
	}{
		"good":                      {good, "etl", true},
		"of a later version":        {strings.Replace(good, `"keys"`, `"news":{"x":[1]},"keys"`, 1), "etl", true},
		"of another object":         {good, "other", false},
		"of no object":              {strings.Replace(good, `"object":"etl",`, "", 1), "etl", false},
		"empty":                     {"", "etl", false},
		"no JSON":                   {"{", "etl", false},
		"cut off":                   {good[:len(good)-1], "etl", false},
		"something behind it":       {good + "x", "etl", false},
		"null":                      {"null", "etl", false},
		"a list":                    {"[]", "etl", false},
		"an empty object":           {"{}", "etl", false},
		"no salt":                   {strings.Replace(good, `"c2FsdA=="`, `""`, 1), "etl", false},
		"salt that is no base64":    {strings.Replace(good, `"c2FsdA=="`, `"c2Fs"dA`, 1), "etl", false},
		"no seal":                   {strings.Replace(good, `"seal"`, `""`, 1), "etl", false},
		"time that is no time":      {strings.Replace(good, "2026-03-01T12", "2026-13-01T12", 1), "etl", false},
		"number where text belongs": {strings.Replace(good, `"Renewal"`, `7`, 1), "etl", false},
		"count beyond 32 bits":      {strings.Replace(good, `"count":3`, `"count":3000000000`, 1), "etl", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ParsePersistedState(tc.text, tc.object); (got != nil) != tc.readable {
				t.Errorf("got %+v, want it to be readable: %t", got, tc.readable)
			}
		})
	}
	want := &PersistedState{
		Salt:              []byte("salt"),
		Object:            "etl",
		PersistedToken:    PersistedToken{IssuedAt: at("11:00:00.5"), ExpiresAt: at("12:00:00.5")},
		PersistedRequest:  PersistedRequest{SpecHash: "a", ClientVersion: "c/7", RequestHash: "r"},
		PersistedTarget:   PersistedTarget{TargetSpecHash: "s", TokenMAC: "seal", DataMAC: "d", Keys: []string{"token"}},
		PersistedIssuance: PersistedIssuance{Cause: "Renewal", HandledRequest: "today", Issuance: &v1alpha1.Issuance{Day: "2026-03-01", Count: 3}},
	}
	if diff := cmp.Diff(want, ParsePersistedState(good, "etl"), cmp.AllowUnexported(PersistedState{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// To the nanosecond: a renewal time must not depend on who has read the record.
	want.ExpiresAt = at("12:00:00.123456789")
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, ParsePersistedState(string(text), "etl"), cmp.AllowUnexported(PersistedState{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPersistedStateExpires(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		expires, now string
		want         bool
	}{
		{"12:00:00", "11:59:59.999999999", false},
		{"12:00:00", "12:00:00", true},
		{"12:00:00", "12:00:00.000000001", true},
		{"12:00:00.5", "12:00:00.499999999", false},
	} {
		if got := (&PersistedState{PersistedToken: PersistedToken{ExpiresAt: at(tc.expires)}}).Expired(at(tc.now)); got != tc.want {
			t.Errorf("a token of %s at %s: expired is %t", tc.expires, tc.now, got)
		}
	}
	if (&PersistedState{}).Expired(at("12:00:00").AddDate(100, 0, 0)) {
		t.Error("basic expires")
	}
}

// TestTokenMACCoversTokenAndTimes covers the token and its times: nobody prolongs a token by editing an annotation.
func TestTokenMACCoversTokenAndTimes(t *testing.T) {
	t.Parallel()
	seal := func(value string, change func(*PersistedState)) string {
		rec := PersistedState{Salt: []byte("salt"), PersistedToken: PersistedToken{IssuedAt: at("11:00:00"), ExpiresAt: at("12:00:00")}, PersistedIssuance: PersistedIssuance{Cause: "Renewal", HandledRequest: "today"}}
		change(&rec)
		return rec.TokenMACOf([]byte(value))
	}
	same := seal("t0ken", func(*PersistedState) {})
	if len(same) != 32 || strings.Contains(same, "t0ken") {
		t.Errorf("got %q", same)
	}
	for name, got := range map[string]string{
		"another token":            seal("t0kem", func(*PersistedState) {}),
		"no token":                 seal("", func(*PersistedState) {}),
		"a longer token":           seal("t0ken2", func(*PersistedState) {}),
		"expiry put off":           seal("t0ken", func(r *PersistedState) { r.ExpiresAt = at("13:00:00") }),
		"expiry put off, a little": seal("t0ken", func(r *PersistedState) { r.ExpiresAt = at("12:00:00.000000001") }),
		"expiry taken away":        seal("t0ken", func(r *PersistedState) { r.ExpiresAt = (&PersistedState{}).ExpiresAt }),
		"issued at another time":   seal("t0ken", func(r *PersistedState) { r.IssuedAt = at("11:30:00") }),
		"another salt":             seal("t0ken", func(r *PersistedState) { r.Salt = []byte("pepper") }),
	} {
		if got == same {
			t.Errorf("%s is not noticed", name)
		}
	}
	for name, got := range map[string]string{
		"a time of another zone":  seal("t0ken", func(r *PersistedState) { r.ExpiresAt = at("12:00:00").Local() }),
		"another cause":           seal("t0ken", func(r *PersistedState) { r.Cause = "Missing" }),
		"another refresh request": seal("t0ken", func(r *PersistedState) { r.HandledRequest = "" }),
	} {
		if got != same {
			t.Errorf("%s breaks the seal", name)
		}
	}
}

// TestDataMACCoversOurKeys covers our own keys: which are there, and their values.
func TestDataMACCoversOurKeys(t *testing.T) {
	t.Parallel()
	rec := PersistedState{Salt: []byte("salt")}
	keys := []string{"auth", "token"}
	data := map[string][]byte{"auth": []byte("Bearer x"), "token": []byte("x")}
	same := rec.DataMACOf(data, keys)
	for name, tc := range map[string]struct {
		data map[string][]byte
		want bool
	}{
		"the same":             {map[string][]byte{"token": []byte("x"), "auth": []byte("Bearer x")}, true},
		"somebody else's key":  {map[string][]byte{"auth": []byte("Bearer x"), "token": []byte("x"), "theirs": []byte("y")}, true},
		"a value edited":       {map[string][]byte{"auth": []byte("Bearer y"), "token": []byte("x")}, false},
		"a value emptied":      {map[string][]byte{"auth": {}, "token": []byte("x")}, false},
		"a key removed":        {map[string][]byte{"token": []byte("x")}, false},
		"values changed round": {map[string][]byte{"auth": []byte("x"), "token": []byte("Bearer x")}, false},
		"all removed":          {nil, false},
	} {
		if got := rec.DataMACOf(tc.data, keys) == same; got != tc.want {
			t.Errorf("%s: taken for the same: %t", name, got)
		}
	}
	// A byte that moves from one piece to the next is another content.
	one := rec.DataMACOf(map[string][]byte{"a": []byte("bc")}, []string{"a"})
	if other := rec.DataMACOf(map[string][]byte{"ab": []byte("c")}, []string{"ab"}); one == other {
		t.Error("two contents look alike")
	}
	if one := rec.DataMACOf(map[string][]byte{"a": []byte("b"), "c": []byte("d")}, []string{"a", "c"}); one == rec.DataMACOf(map[string][]byte{"a": []byte("bcd")}, []string{"a"}) {
		t.Error("two contents look alike")
	}
}

// TestTokenInFindsTheRecordedKey: a token, and for basic the credentials; which of them was written is in the record, and not to be told from the data.
func TestTokenInFindsTheRecordedKey(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		wrote []string
		data  map[string][]byte
		want  string
	}{
		"token":                        {[]string{"token"}, map[string][]byte{"token": []byte("x")}, "x"},
		"token and a template":         {[]string{"authorization", "token"}, map[string][]byte{"token": []byte("x"), "authorization": []byte("y")}, "x"},
		"token emptied":                {[]string{"authorization", "token"}, map[string][]byte{"token": {}, "authorization": []byte("y")}, ""},
		"token removed":                {[]string{"authorization", "token"}, map[string][]byte{"authorization": []byte("y")}, ""},
		"token without value":          {[]string{"token"}, map[string][]byte{"token": nil}, ""},
		"token only by name":           {[]string{"token"}, map[string][]byte{"Token": []byte("x")}, ""},
		"basic":                        {[]string{"authorization", "password", "username"}, map[string][]byte{"username": []byte("u"), "authorization": []byte("y")}, "y"},
		"basic, key removed":           {[]string{"authorization", "password", "username"}, map[string][]byte{"username": []byte("u")}, ""},
		"basic beside another's token": {[]string{"authorization", "password", "username"}, map[string][]byte{"token": []byte("x"), "authorization": []byte("y")}, "y"},
		"nothing":                      {nil, nil, ""},
	} {
		rec := PersistedState{PersistedTarget: PersistedTarget{Keys: tc.wrote}}
		if got := string(rec.TokenIn(tc.data)); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// fill sets every field below v to something that is not zero.
func fill(v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(at("11:00:00.5")))
	case v.Kind() == reflect.Struct:
		for _, field := range v.Fields() {
			fill(field)
		}
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case v.Kind() == reflect.String:
		v.SetString("x")
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(7)
	case v.CanUint():
		v.SetUint(7)
	}
}

// TestPersistedState_EveryField_HasItsNameAndPlace: earlier versions wrote the annotation, and later ones read it.
func TestPersistedState_EveryField_HasItsNameAndPlace(t *testing.T) {
	t.Parallel()
	p := PersistedState{}
	fill(reflect.ValueOf(&p).Elem())
	got, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"salt":"Bw==","object":"x","issuedAt":"2026-03-01T11:00:00.5Z","expiresAt":"2026-03-01T11:00:00.5Z","clock":{"process":"x","aheadSeconds":7,"serverSeconds":7},` +
		`"tokenType":"x","granted":["x"],"asked":"x","askedRest":"x","client":"x","request":"x","rest":"x","shape":"x","token":"x","data":"x","dataRevision":"x",` +
		`"templates":"x","shared":true,"keys":["x"],"labels":["x"],"annotations":["x"],"default":["x"],"cause":"x","handled":"x","issuance":{"day":"x","count":7},` +
		`"same":7,"warned":["x"]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
