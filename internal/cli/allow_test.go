// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

func TestAllow(t *testing.T) {
	t.Parallel()
	const hosts, basic = "cdpcredentials.io/allowed-hosts", "cdpcredentials.io/allow-basic"
	for name, test := range map[string]struct {
		was  map[string]string
		want permission
		then map[string]string
		fail string
	}{
		"first host":           {nil, permission{hosts: []string{"a.example.com"}}, map[string]string{hosts: "a.example.com"}, ""},
		"another host":         {map[string]string{hosts: "a.example.com, *.b.example.com"}, permission{hosts: []string{"c.example.com:8443"}}, map[string]string{hosts: "a.example.com,*.b.example.com,c.example.com:8443"}, ""},
		"a host that is there": {map[string]string{hosts: "a.example.com"}, permission{hosts: []string{"a.example.com"}}, map[string]string{}, ""},
		"unreadable":           {map[string]string{hosts: "a.example.com,*"}, permission{hosts: []string{"b.example.com"}}, nil, "an entry that cannot be read"},
		"basic":                {nil, permission{basic: true}, map[string]string{basic: "true"}, ""},
		"basic is there":       {map[string]string{basic: "true"}, permission{basic: true}, map[string]string{}, ""},
		"no CA":                {nil, permission{ca: true}, nil, "no spec.tls.caBundle"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: "marketing", Annotations: test.was}}
			got, means, err := test.want.annotations(object(), secret)
			if test.fail != "" {
				if err == nil || !strings.Contains(err.Error(), test.fail) {
					t.Fatalf("error %v, want %q", err, test.fail)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.then, got); diff != "" {
				t.Error(diff)
			}
			if len(means) != len(got) {
				t.Errorf("%d changes are explained by %q", len(got), means)
			}
		})
	}
}

func TestAllowRefusesWhatIsNoHost(t *testing.T) {
	t.Parallel()
	for _, hosts := range [][]string{nil, {"*"}, {"https://auth.example.com"}} {
		if err := (&permission{hosts: hosts}).check(); exitCodeOf(err) != 2 {
			t.Errorf("%q: %v", hosts, err)
		}
	}
}

func TestAdoptionMeans(t *testing.T) {
	t.Parallel()
	secret := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{v1alpha1.CredentialAnnotation: "web"}}}
	got := strings.Join(adoptionMeans(object(func(obj *v1alpha1.CDPCredential) { obj.Spec.Target.DeletionPolicy = "Retain" }), secret), "\n")
	for _, want := range []string{"CDPCredential web now, which loses it", "stays when the object is deleted"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
