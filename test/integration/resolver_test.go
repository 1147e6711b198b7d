// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// names resolves every name to the same addresses.
type names struct {
	addresses []netip.Addr
	asked     atomic.Int32
}

func (n *names) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	n.asked.Add(1)
	return n.addresses, nil
}

// TestNameThatTurnsPrivateIsNotCalled: a host with everybody's consent resolves to a private address. Nothing there is called, even if the name has a
// public address, too.
func TestNameThatTurnsPrivateIsNotCalled(t *testing.T) {
	t.Parallel()
	for _, addresses := range []string{"127.0.0.2", "10.1.2.3", "169.254.169.254", "fd00::1", "::ffff:127.0.0.2", "64:ff9b::7f00:2", "203.0.114.7,127.0.0.2"} {
		t.Run(addresses, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			inside := newSpy(t, "127.0.0.2:0", nil)
			resolver := &names{}
			for address := range strings.SplitSeq(addresses, ",") {
				resolver.addresses = append(resolver.addresses, netip.MustParseAddr(address))
			}
			s.operate(assembly{resolver: resolver})
			c, obj := s.prepare("etl")
			c.editClient(func(secret *corev1.Secret) { secret.Annotations[v1alpha1.AllowedHostsAnnotation] = "auth.example.com" })
			_, port, _ := strings.Cut(inside.host(), ":")
			obj.Spec.Provider.OAuth2.TokenURL = v1alpha1.HTTPSURL(fmt.Sprintf("https://auth.example.com:%s/token", port))
			obj.Spec.TLS.CABundle = inside.caBundle()
			s.must(s.Client.Create(t.Context(), obj))
			c.waitFailed("Stalled", "EndpointRefused", "auth.example.com:"+port, "--allowed-cidrs")
			if inside.calls() > 0 || resolver.asked.Load() == 0 {
				t.Errorf("%d calls inside, %d lookups", inside.calls(), resolver.asked.Load())
			}
		})
	}
}
