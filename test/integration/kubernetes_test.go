// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestKubernetesIsTheOneAskedFor: the API server has the version that `make test-versions` names.
func TestKubernetesIsTheOneAskedFor(t *testing.T) {
	t.Parallel()
	server, err := sharedCluster(t).clientset.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(server.GitVersion)
	if want := os.Getenv("CDP_TEST_KUBERNETES"); want != "" && !strings.HasPrefix(server.GitVersion, "v"+want+".") {
		t.Errorf("the API server is %s, want %s", server.GitVersion, want)
	}
}

// TestFieldSelectorsFindObjects: the selectable fields of the CRD can be used (since Kubernetes 1.31).
func TestFieldSelectorsFindObjects(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.ready("etl")
	s.ready("web")
	for selector, want := range map[string]int{
		"spec.clientSecretRef.name=etl-client": 1, "spec.target.name=web-token": 1, "status.provider=oauth2": 2, "status.provider=apsis": 0,
	} {
		list := &v1alpha1.CDPCredentialList{}
		s.must(s.Client.List(t.Context(), list, client.InNamespace(s.namespace), &client.ListOptions{Raw: &metav1.ListOptions{FieldSelector: selector}}))
		if len(list.Items) != want {
			t.Errorf("%s finds %d objects, want %d", selector, len(list.Items), want)
		}
	}
}
