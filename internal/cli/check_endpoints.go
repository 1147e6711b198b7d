// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// readObjects reads those of all namespaces, or of the current one where the others may not be seen.
func (c *checker) readObjects(ctx context.Context) {
	var list v1alpha1.CDPCredentialList
	err := c.List(ctx, &list)
	if apierrors.IsForbidden(err) {
		err = c.List(ctx, &list, client.InNamespace(c.namespace))
	}
	if err != nil {
		c.skip("objects", explained(err))
		return
	}
	c.objects, c.listed = list.Items, true
}

// checkObjects counts the objects that somebody has to look at. It comes last: what was found before may be the cause.
func (c *checker) checkObjects() {
	const name = "objects"
	if !c.listed {
		return
	}
	reasons := map[string]int{}
	bad := 0
	for _, row := range rowsOf(c.objects, true, c.env.Now()) {
		reasons[row.Reason]++
		bad++
	}
	if bad == 0 {
		c.ok(name, fmt.Sprintf("all %d are well", len(c.objects)))
		return
	}
	var counts []string
	for _, reason := range credential.SortedKeys(reasons) {
		counts = append(counts, fmt.Sprintf("%s (%d)", plain(reason), reasons[reason]))
	}
	c.problem(name, fmt.Sprintf("%d of %d need attention: %s", bad, len(c.objects), strings.Join(counts, ", ")), "kubectl cdpcred get -A --problems, then kubectl cdpcred status NAME")
}

// A destination is an endpoint, and the CA that one object has for it.
type destination struct {
	address string
	bundle  string
	// reached says that the operator's last attempt there gave a token.
	reached bool
}

// checkEndpoints calls each endpoint as the operator would, but without credentials. Any answer is a good one.
func (c *checker) checkEndpoints(ctx context.Context) {
	allowed := rules{}
	for i := range c.operators {
		r, err := rulesOfOperator(&c.operators[i])
		if err != nil {
			c.problem("flags of "+c.operators[i].Namespace+"/"+c.operators[i].Name, plain(err.Error()), "correct the operator's arguments")
			continue
		}
		allowed.addresses.Allowed = append(allowed.addresses.Allowed, r.addresses.Allowed...)
		allowed.addresses.Denied = append(allowed.addresses.Denied, r.addresses.Denied...)
	}
	transports := &egress.Transports{Policy: allowed.addresses, Proxy: http.ProxyFromEnvironment}
	defer transports.CloseIdleConnections()
	all := destinationsOf(c.objects)
	found := make([]checker, len(all)) // at once: one that hangs is waited for, and not those behind it
	var calls sync.WaitGroup
	for i, to := range all {
		found[i] = checker{session: c.session, env: c.env}
		calls.Go(func() { found[i].checkEndpoint(ctx, transports, to) })
	}
	calls.Wait()
	for i := range found {
		c.checks = append(c.checks, found[i].checks...)
	}
}

// destinationsOf are the endpoints of objects, each once for each CA.
func destinationsOf(objects []v1alpha1.CDPCredential) []destination {
	var all []destination
	for i := range objects {
		desired, err := credential.DesiredFlowOf(&objects[i].Spec)
		if err != nil || !desired.Flow.Exchanges() {
			continue
		}
		to := destination{address: "https://" + desired.Endpoint.String() + "/"}
		if objects[i].Spec.TLS != nil {
			to.bundle = string(objects[i].Spec.TLS.CABundle)
		}
		at := slices.IndexFunc(all, func(d destination) bool { return d.address == to.address && d.bundle == to.bundle })
		if at < 0 {
			at = len(all)
			all = append(all, to)
		}
		all[at].reached = all[at].reached || meta.IsStatusConditionTrue(objects[i].Status.Conditions, v1alpha1.ConditionRefreshed)
	}
	slices.SortFunc(all, func(a, b destination) int {
		return cmp.Or(cmp.Compare(a.address, b.address), cmp.Compare(a.bundle, b.bundle))
	})
	return all
}

func (c *checker) checkEndpoint(ctx context.Context, transports *egress.Transports, to destination) {
	name := "endpoint " + hostOf(to.address)
	transport, err := transports.For("cdpcred-check", []byte(to.bundle))
	if err != nil {
		c.problem(name, plain(err.Error()), "correct spec.tls.caBundle")
		return
	}
	clock := &serverClock{next: transport, now: c.env.Now}
	got := exchange.Verify(ctx, clock, c.env.Now, to.address, nil)
	through := c.proxied(to.address)
	if got.Err != nil && got.Err.Status == 0 {
		if refused, ok := errors.AsType[*egress.RefusedError](got.Err); ok {
			c.problem(name, refused.Error(), "use a public address, or have an administrator allow this one with --allowed-cidrs")
			return
		}
		c.unreachable(name, got.Err, through, to.reached)
		return
	}
	if clock.known && apart(clock.offset) {
		c.problem(name, fmt.Sprintf("its clock is %s off this machine's", clock.offset.Abs().Round(1e9)), "see docs/operations.md, Clocks: which of the two is wrong")
		return
	}
	c.ok(name, "answers from here"+through+", with a certificate that is trusted")
}

// unreachable is about an endpoint that gave no answer. What the operator reached is no problem if only its CA is missing here: it may be in a client Secret,
// which this command does not read.
func (c *checker) unreachable(name string, err *exchange.Error, through string, reached bool) {
	message := err.Error() + " (from here" + through + ")"
	if reached {
		message += "; the operator's last attempt worked"
	}
	if reached && err.Untrusted {
		c.checks = append(c.checks, Check{Name: name, Result: resultSkipped, Message: message})
		return
	}
	c.problem(name, message, endpointAdvice(err.Detail))
}

// proxied says which proxy a request from here goes through.
func (c *checker) proxied(address string) string {
	request, err := http.NewRequest(http.MethodGet, address, nil) //nolint:noctx // it is not sent
	if err != nil {
		return ""
	}
	proxy, err := http.ProxyFromEnvironment(request)
	if err != nil || proxy == nil {
		return ""
	}
	return " through the proxy " + plain(proxy.Host)
}

// endpointAdvice is for the fixed words that internal/exchange has for what is wrong with a connection.
func endpointAdvice(detail string) string {
	switch detail {
	case "the DNS lookup failed":
		return "check the host in spec.provider, and the cluster's DNS"
	case "the endpoint's certificate is not trusted":
		return "put its CA under ca.crt into the client Secret (which this command does not read, so it may be there already), or into spec.tls.caBundle; or a proxy or firewall answers in its place"
	case "the endpoint's certificate is for another name":
		return "check the host in spec.provider; or a proxy or firewall answers in its place"
	case "the proxy cannot be reached", "the proxy refused the connection":
		return "correct HTTPS_PROXY or NO_PROXY, or have the proxy let this host through"
	case "the endpoint did not answer in time", "the connection was reset", "the endpoint's network is unreachable", "the connection was refused":
		return "check the port in spec.provider, the proxy, the firewall and the network policy, and the vendor's status page"
	}
	return "check the proxy and the network policy, and the vendor's status page"
}
