package exchange_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

var salt = []byte("salt")

// TestFingerprintCoversEveryField goes by reflection, so that a new field cannot be forgotten.
func TestFingerprintCoversEveryField(t *testing.T) {
	t.Parallel()
	seen := map[string]string{exchange.Request{}.Fingerprint(salt): "nothing"}
	var visit func(path string, at func(*exchange.Request) reflect.Value)
	visit = func(path string, at func(*exchange.Request) reflect.Value) {
		var req exchange.Request
		field := at(&req)
		switch field.Kind() {
		case reflect.Struct:
			for i := range field.NumField() {
				visit(path+"."+field.Type().Field(i).Name, func(r *exchange.Request) reflect.Value { return at(r).Field(i) })
			}
			return
		case reflect.String:
			field.SetString("x")
		case reflect.Int64:
			field.SetInt(int64(time.Minute))
		case reflect.Slice:
			field.Set(reflect.ValueOf([]string{"x"}))
		case reflect.Map:
			field.Set(reflect.ValueOf(map[string]string{"x": "y"}))
		default:
			t.Fatalf("%s is a %s, which this test does not know", path, field.Kind())
		}
		if path == "Request.Namespace" || path == "Request.Update" || path == "Request.ClockOffset" {
			if got := req.Fingerprint(salt); seen[got] != "nothing" {
				t.Errorf("%s counts: an updated token, or a corrected clock, say, would be a reason to renew at once", path)
			}
			return
		}
		got := req.Fingerprint(salt)
		if other, ok := seen[got]; ok {
			t.Errorf("%s has the fingerprint of %s", path, other)
		}
		seen[got] = path
	}
	visit("Request", func(r *exchange.Request) reflect.Value { return reflect.ValueOf(r).Elem() })
}

func TestFingerprintTellsApart(t *testing.T) {
	t.Parallel()
	requests := map[string]exchange.Request{
		"one scope":                 {Scopes: []string{"a b"}},
		"two scopes":                {Scopes: []string{"a", "b"}},
		"two scopes, another order": {Scopes: []string{"b", "a"}},
		"two metascopes":            {Metascopes: []string{"a", "b"}},
		"one pair":                  {Parameters: map[string]string{"a": "b"}},
		"one pair, the other way":   {Parameters: map[string]string{"b": "a"}},
		"two pairs":                 {Parameters: map[string]string{"a": "b", "c": "d"}},
		"an empty value":            {Parameters: map[string]string{"a": ""}},
		"id and secret":             {Client: exchange.Client{ID: "ab", Secret: "c"}},
		"id and secret, shifted":    {Client: exchange.Client{ID: "a", Secret: "bc"}},
	}
	seen := map[string]string{}
	for name, req := range requests {
		got := req.Fingerprint(salt)
		if other, ok := seen[got]; ok {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[got] = name
		for range 3 { // maps have no order
			if again := req.Fingerprint(salt); again != got {
				t.Errorf("%s changes its fingerprint", name)
			}
		}
	}
}

// TestFingerprintStays pins one fingerprint: were it to change, every credential would be renewed by the first start of a new version.
func TestFingerprintStays(t *testing.T) {
	t.Parallel()
	req := exchange.Request{
		Provider: exchange.OAuth2, URL: "https://a.example.com/token", Client: exchange.Client{ID: "etl", Secret: "hunter2"},
		Scopes: []string{"read", "write"}, DefaultLifetime: time.Hour, Headers: map[string]string{"X-Tenant": "7"},
	}
	const want = "04fc8f6ba3e375b4e9f55b08621045e1"
	if got := req.Fingerprint(salt); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := req.Fingerprint([]byte("pepper")); got == want {
		t.Error("the salt makes no difference")
	}
	explicit := req
	explicit.AuthMethod, explicit.BodyFormat, explicit.ScopeSeparator = "ClientSecretBasic", "Form", " "
	explicit.TokenField, explicit.ExpiresInField, explicit.ExpiresInUnit = "access_token", "expires_in", "Seconds"
	if got := explicit.Fingerprint(salt); got != want {
		t.Errorf("a default that is written out makes a difference: %s", got)
	}
}

func TestWithoutResources(t *testing.T) {
	t.Parallel()
	before := exchange.Request{Provider: exchange.Algonomy, Resources: []string{"basic"}, Validity: time.Hour}
	more := before
	more.Resources = []string{"basic", "segments"}
	longer := more
	longer.Validity = 2 * time.Hour
	if before.Fingerprint(salt) == more.Fingerprint(salt) {
		t.Error("resources make no difference")
	}
	if before.WithoutResources().Fingerprint(salt) != more.WithoutResources().Fingerprint(salt) {
		t.Error("resources make a difference where there are none")
	}
	if before.WithoutResources().Fingerprint(salt) == longer.WithoutResources().Fingerprint(salt) {
		t.Error("nothing but resources makes a difference")
	}
	if len(more.Resources) != 2 {
		t.Error("the original has lost its resources")
	}
}
