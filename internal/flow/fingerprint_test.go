// SPDX-License-Identifier: Apache-2.0

package flow_test

import (
	"maps"
	"reflect"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow/flowtest"
)

var salt = []byte("salt")

func flowOf(p v1alpha1.Provider) flow.Flow {
	f, _ := flow.Of(&p, nil) // a value that this version does not know counts all the same
	return f
}

// uncovered are fields that no fingerprint covers, by the sample in which they do not count.
var uncovered = map[string]string{
	"adobe_serviceaccount: adobe.scopes": "the API server refuses them beside serviceAccount",
}

// TestFingerprintCoversEveryField goes through the fields of every provider by reflection, so that a new one cannot be forgotten.
func TestFingerprintCoversEveryField(t *testing.T) {
	t.Parallel()
	for _, sample := range flowtest.Samples(t) {
		t.Run(sample.Name, func(t *testing.T) {
			before := flowOf(sample.Spec.Provider)
			seen := map[string]string{before.Fingerprint(salt, nil, ""): "the sample"}
			visit(reflect.ValueOf(sample.Options).Elem(), sample.Member, func(path string, change func(reflect.Value), at func(reflect.Value) reflect.Value) {
				changed := sample.Spec.Provider.DeepCopy()
				for member, value := range reflect.ValueOf(changed).Elem().Fields() {
					if flowtest.JSONName(member) == sample.Member {
						change(at(value.Elem()))
					}
				}
				f := flowOf(*changed)
				got := f.Fingerprint(salt, nil, "")
				if other, ok := seen[got]; ok && uncovered[sample.Name+": "+path] == "" {
					t.Errorf("%s, changed, has the fingerprint of %s", path, other)
				}
				seen[got] = path
			})
		})
	}
}

// visit gives every field below a struct to do, with a change of its value and the way to it from the struct.
func visit(options reflect.Value, path string, do func(path string, change func(reflect.Value), at func(reflect.Value) reflect.Value)) {
	for i := range options.NumField() {
		name := path + "." + flowtest.JSONName(options.Type().Field(i))
		at := func(v reflect.Value) reflect.Value { return v.Field(i) }
		kind := options.Field(i).Type()
		if kind.Kind() == reflect.Pointer && kind.Elem().Kind() == reflect.Struct && kind.Elem() != reflect.TypeFor[metav1.Duration]() {
			inner := func(v reflect.Value) reflect.Value {
				if v.Field(i).IsNil() {
					v.Field(i).Set(reflect.New(kind.Elem()))
				}
				return v.Field(i).Elem()
			}
			visit(reflect.New(kind.Elem()).Elem(), name, func(path string, change func(reflect.Value), at func(reflect.Value) reflect.Value) {
				do(path, change, func(v reflect.Value) reflect.Value { return at(inner(v)) })
			})
			continue
		}
		do(name, change, at)
	}
}

// change gives a value another one.
func change(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		change(v.Elem())
	case reflect.Struct: // a duration
		d := v.Addr().Interface().(*metav1.Duration)
		d.Duration += 61 * time.Minute
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		change(v.Index(v.Len() - 1))
	case reflect.Map:
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		v.SetMapIndex(reflect.ValueOf("x"), reflect.Zero(v.Type().Elem()))
	default:
		v.SetString(v.String() + "x")
	}
}

// TestFingerprintCoversEveryKey: it changes with each value that a flow needs of the client Secret, and with nothing that it does not need.
func TestFingerprintCoversEveryKey(t *testing.T) {
	t.Parallel()
	for _, sample := range flowtest.Samples(t) {
		t.Run(sample.Name, func(t *testing.T) {
			f := flowOf(sample.Spec.Provider)
			values := map[string]string{}
			for _, key := range f.Keys {
				values[key.Field] = "value of " + key.Field
			}
			before := f.Fingerprint(salt, values, "")
			seen := map[string]string{before: "unchanged", f.Fingerprint(salt, values, "issue"): "another issue"}
			for _, key := range f.Keys {
				changed := maps.Clone(values)
				changed[key.Field] = "another"
				got := f.Fingerprint(salt, changed, "")
				if other, ok := seen[got]; ok {
					t.Errorf("with another %s it is that of %s", key.Field, other)
				}
				seen[got] = key.Field
			}
			values["notNeeded"] = "x"
			if f.Fingerprint(salt, values, "") != before {
				t.Error("a value that is not needed makes a difference")
			}
		})
	}
}

func TestFingerprintTellsApart(t *testing.T) {
	t.Parallel()
	oauth2 := func(p v1alpha1.OAuth2) flow.Flow { return flowOf(v1alpha1.Provider{OAuth2: &p}) }
	pairs := func(pairs map[string]v1alpha1.ParameterValue) flow.Flow {
		return oauth2(v1alpha1.OAuth2{Parameters: pairs})
	}
	type request struct {
		flow   flow.Flow
		values map[string]string
	}
	requests := map[string]request{
		"one scope":                 {flow: oauth2(v1alpha1.OAuth2{Scopes: []v1alpha1.Scope{"a b"}})},
		"two scopes":                {flow: oauth2(v1alpha1.OAuth2{Scopes: []v1alpha1.Scope{"a", "b"}})},
		"two scopes, another order": {flow: oauth2(v1alpha1.OAuth2{Scopes: []v1alpha1.Scope{"b", "a"}})},
		"two metascopes": {flow: flowOf(v1alpha1.Provider{Adobe: &v1alpha1.Adobe{
			ServiceAccount: &v1alpha1.AdobeServiceAccount{Metascopes: []v1alpha1.Scope{"a", "b"}},
		}})},
		"one pair":                {flow: pairs(map[string]v1alpha1.ParameterValue{"a": "b"})},
		"one pair, the other way": {flow: pairs(map[string]v1alpha1.ParameterValue{"b": "a"})},
		"two pairs":               {flow: pairs(map[string]v1alpha1.ParameterValue{"a": "b", "c": "d"})},
		"an empty value":          {flow: pairs(map[string]v1alpha1.ParameterValue{"a": ""})},
		"id and secret":           {oauth2(v1alpha1.OAuth2{}), map[string]string{"clientID": "ab", "clientSecret": "c"}},
		"id and secret, shifted":  {oauth2(v1alpha1.OAuth2{}), map[string]string{"clientID": "a", "clientSecret": "bc"}},
	}
	seen := map[string]string{}
	for name, req := range requests {
		got := req.flow.Fingerprint(salt, req.values, "")
		if other, ok := seen[got]; ok {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[got] = name
		for range 3 { // maps have no order
			if again := req.flow.Fingerprint(salt, req.values, ""); again != got {
				t.Errorf("%s changes its fingerprint", name)
			}
		}
	}
}

// TestFingerprintStays pins one fingerprint: were it to change, every credential would be renewed by the first start of a new version. Those of all
// providers are pinned in controllers.
func TestFingerprintStays(t *testing.T) {
	t.Parallel()
	oauth2 := &v1alpha1.OAuth2{
		TokenURL: "https://a.example.com/token", Scopes: []v1alpha1.Scope{"read", "write"}, DefaultLifetime: &metav1.Duration{Duration: time.Hour},
		Headers: map[string]v1alpha1.HeaderValue{"X-Tenant": "7"},
	}
	values := map[string]string{"clientID": "etl", "clientSecret": "hunter2"}
	const want = "04fc8f6ba3e375b4e9f55b08621045e1"
	f := flowOf(v1alpha1.Provider{OAuth2: oauth2})
	if got := f.Fingerprint(salt, values, ""); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := f.Fingerprint([]byte("pepper"), values, ""); got == want {
		t.Error("the salt makes no difference")
	}
	oauth2.AuthMethod, oauth2.RequestFormat, oauth2.ScopeSeparator = "ClientSecretBasic", "Form", " "
	oauth2.Response = &v1alpha1.OAuth2Response{TokenField: "access_token", ExpiresInField: "expires_in", ExpiresInUnit: "Seconds"}
	explicit := flowOf(v1alpha1.Provider{OAuth2: oauth2})
	if got := explicit.Fingerprint(salt, values, ""); got != want {
		t.Errorf("a default that is written out makes a difference: %s", got)
	}
}

func TestFingerprintWithoutUpdatable(t *testing.T) {
	t.Parallel()
	algonomy := func(validity time.Duration, resources ...v1alpha1.Scope) flow.Flow {
		return flowOf(v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{
			URL: "https://a.example.com", API: "Profile", Resources: resources, Validity: &metav1.Duration{Duration: validity},
		}})
	}
	before, more, longer := algonomy(time.Hour, "basic"), algonomy(time.Hour, "basic", "segments"), algonomy(2*time.Hour, "basic", "segments")
	if before.Fingerprint(salt, nil, "") == more.Fingerprint(salt, nil, "") {
		t.Error("resources make no difference")
	}
	rest := before.FingerprintWithoutUpdatable(salt, nil, "")
	if rest != more.FingerprintWithoutUpdatable(salt, nil, "") {
		t.Error("resources make a difference where there are none")
	}
	if rest == longer.FingerprintWithoutUpdatable(salt, nil, "") {
		t.Error("nothing but resources makes a difference")
	}
	none := flowOf(v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://a.example.com", Resources: []string{"basic"}}})
	if got := none.FingerprintWithoutUpdatable(salt, nil, ""); got != "" {
		t.Errorf("a flow without an update has %s", got)
	}
}
