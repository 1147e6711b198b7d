// SPDX-License-Identifier: Apache-2.0

package flow_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow/flowtest"
)

// TestContract: what the flow of every provider says of itself is true of the API type and of its own requests. internal/exchange and controllers
// have their parts of it.
func TestContract(t *testing.T) {
	t.Parallel()
	kinds := map[string]string{}
	for _, sample := range flowtest.Samples(t) {
		t.Run(sample.Name, func(t *testing.T) {
			f, err := flow.Of(&sample.Spec.Provider, nil)
			if err != nil {
				t.Fatal(err)
			}
			if invalid := f.Check(); invalid != nil {
				t.Errorf("Check: %v", invalid)
			}
			if f.Provider != sample.Member {
				t.Errorf("Provider is %q, and the member of spec.provider %q", f.Provider, sample.Member)
			}
			if other := kinds[f.Kind]; f.Kind == "" || other != "" && other != f.Provider {
				t.Errorf("Kind %q is that of %q", f.Kind, other)
			}
			kinds[f.Kind] = f.Provider
			if (f.Issue == nil) == (f.Static == nil) {
				t.Error("exactly one of Issue and Static has to be there")
			}
			checkAddress(t, &f, sample)
			checkHosts(t, &f)
			checkKeys(t, &f, sample)
			checkUpdate(t, &f)
		})
	}
}

func checkAddress(t *testing.T, f *flow.Flow, sample flowtest.Sample) {
	t.Helper()
	if !f.Exchanges() {
		if f.Address != "" || f.AddressField != "" {
			t.Error("nothing is exchanged, and yet there is an address")
		}
		return
	}
	if invalid := flow.CheckURL(f.Address); invalid != nil {
		t.Errorf("Address: %v", invalid)
	}
	name, ours := strings.CutPrefix(f.AddressField, "spec.provider."+f.Provider+".")
	if !ours || !slices.Contains(fieldsOf(reflect.TypeOf(sample.Options).Elem()), name) {
		t.Errorf("AddressField %q is no field of the provider", f.AddressField)
	}
}

func checkHosts(t *testing.T, f *flow.Flow) {
	t.Helper()
	for _, host := range f.Hosts {
		if !slices.Contains(flow.VendorHosts(), host) {
			t.Errorf("VendorHosts lacks %s: a private CA could stand for it", host)
		}
	}
}

// checkKeys compares the keys that the flow says it needs with those that its requests use, with spec.clientSecretRef.keys, and with the sample.
func checkKeys(t *testing.T, f *flow.Flow, sample flowtest.Sample) {
	t.Helper()
	named, all := reflect.New(reflect.TypeFor[v1alpha1.ClientSecretKeys]()).Elem(), fieldsOf(reflect.TypeFor[v1alpha1.ClientSecretKeys]())
	for i := range named.NumField() {
		named.Field(i).SetString("named-" + all[i])
	}
	renamed, err := flow.Of(&sample.Spec.Provider, named.Addr().Interface().(*v1alpha1.ClientSecretKeys))
	if err != nil {
		t.Fatal(err)
	}
	if !f.UsesDefaultKeys() || renamed.UsesDefaultKeys() {
		t.Error("UsesDefaultKeys is wrong")
	}
	var declared []string
	for i, key := range f.Keys {
		declared = append(declared, key.Field)
		if key.Name == "" || key.Name != key.Default {
			t.Errorf("%s is looked for under the key %q", key.Field, key.Name)
		}
		if want := "named-" + key.Field; renamed.Keys[i].Name != want {
			t.Errorf("spec.clientSecretRef.keys.%s does not name it: got %q", key.Field, renamed.Keys[i].Name)
		}
		if _, ok := sample.Secret[key.Name]; !ok && !key.Optional {
			t.Errorf("the sample's Secret has no %s", key.Name)
		}
	}
	used := keysUsedBy(f)
	for _, field := range used {
		if !slices.Contains(declared, field) {
			t.Errorf("Keys lacks %s", field)
		}
	}
	for _, key := range f.Keys {
		if !key.Optional && !slices.Contains(used, key.Field) {
			t.Errorf("nothing uses the key %s", key.Field)
		}
	}
}

// keysUsedBy are the Fields of the keys that the requests of a flow, and what it gives to its users, are made of.
func keysUsedBy(f *flow.Flow) []string {
	var used []string
	for _, header := range f.APIHeaders {
		used = append(used, header.Key)
	}
	if f.Static != nil {
		used = append(used, f.Static.Username, f.Static.Password)
	}
	for _, step := range []*flow.Step{f.Issue, f.Update} {
		if step == nil {
			continue
		}
		switch step.ClientAuth {
		case flow.ClientSecretBasic, flow.ClientSecretBasicRaw, flow.ClientSecretPost:
			used = append(used, flow.ClientID, flow.ClientSecret)
		case flow.PrivateKeyJWT:
			used = append(used, flow.ClientID)
		}
		for _, header := range step.Headers {
			used = append(used, header.Key)
		}
		assertions := []*flow.JWT{step.Assertion}
		for _, parameter := range step.Parameters {
			used, assertions = append(used, parameter.Key), append(assertions, parameter.JWT)
		}
		for _, assertion := range assertions {
			if assertion != nil {
				used = append(used, flow.PrivateKey, assertion.Issuer.Key, assertion.Subject.Key, assertion.Audience.Key)
			}
		}
	}
	return slices.DeleteFunc(used, func(field string) bool { return field == "" })
}

func checkUpdate(t *testing.T, f *flow.Flow) {
	t.Helper()
	updatable := slices.ContainsFunc(f.Settings, func(s flow.Setting) bool { return s.Updatable })
	if updatable != (f.Update != nil) {
		t.Error("Update is for Settings that are Updatable, and for nothing else")
	}
}

// fieldsOf are the JSON names of a struct's fields.
func fieldsOf(t reflect.Type) []string {
	var names []string
	for field := range t.Fields() {
		names = append(names, flowtest.JSONName(field))
	}
	return names
}
