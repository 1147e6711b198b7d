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
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// slowAnswer is what an API server that is well does not need for its version.
const slowAnswer = time.Second

// checkServer reports whether the API server answers at all. It measures how fast, and how its clock stands to ours.
func (c *checker) checkServer(ctx context.Context) bool {
	const name = "API server"
	transport, err := rest.TransportFor(c.config)
	if err != nil {
		c.problem(name, plain(err.Error()), "check the kubeconfig")
		return false
	}
	c.clock = serverClock{next: transport, now: c.env.Now}
	var slowest time.Duration
	for range 3 {
		took, err := c.askVersion(ctx)
		if err != nil {
			c.problem(name, plain(err.Error()), "check the kubeconfig, the network and the API server itself")
			return false
		}
		slowest = max(slowest, took)
	}
	if slowest > slowAnswer {
		c.problem(name, fmt.Sprintf("it took %s to answer a request for its version", slowest.Round(100*time.Millisecond)),
			"ask whoever runs the cluster about its load; the operator keeps tokens as long as they live, and goes on by itself")
	} else {
		c.ok(name, fmt.Sprintf("answers within %s", max(slowest.Round(time.Millisecond), time.Millisecond)))
	}
	switch {
	case !c.clock.known:
	case apart(c.clock.offset):
		c.problem("clock", fmt.Sprintf("the API server's clock and this machine's are %s apart", c.clock.offset.Abs().Round(time.Second)),
			"set the wrong one; what `status` says about times is off by so much")
	default:
		c.ok("clock", "this machine's agrees with the API server's")
	}
	return true
}

func (c *checker) askVersion(ctx context.Context) (time.Duration, error) {
	address, _, err := rest.DefaultServerUrlFor(c.config)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.JoinPath("/version").String(), nil)
	if err != nil {
		return 0, err
	}
	began := c.env.Now()
	response, err := c.clock.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	_ = response.Body.Close()
	if response.StatusCode >= http.StatusInternalServerError {
		return 0, fmt.Errorf("it answers HTTP %d", response.StatusCode)
	}
	return c.env.Now().Sub(began), nil
}

func (c *checker) checkCRD(ctx context.Context) {
	const name, install = "CRD", "install the operator's CRD (docs/install.md)"
	crd := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}}
	err := c.Get(ctx, client.ObjectKey{Name: "cdpcredentials.cdpcredentials.io"}, crd)
	switch {
	case apierrors.IsNotFound(err):
		c.problem(name, "the cluster does not know CDPCredentials", install)
		return
	case err != nil:
		c.skip(name, err)
		return
	}
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	served := slices.ContainsFunc(versions, func(version any) bool {
		v, _ := version.(map[string]any)
		return v["name"] == v1alpha1.GroupVersion.Version && v["served"] == true
	})
	if !served {
		c.problem(name, "the CRD does not serve "+v1alpha1.GroupVersion.String(), install)
		return
	}
	c.ok(name, "serves "+v1alpha1.GroupVersion.String())
}

// checkOperators is about Deployments and their pods.
func (c *checker) checkOperators(ctx context.Context) {
	const name = "operator"
	var err error
	if c.operators, err = c.session.operators(ctx); err != nil {
		c.skip(name, err)
		return
	}
	if len(c.operators) == 0 {
		c.problem(name, "no Deployment with the label app.kubernetes.io/name=cdp-credential-operator can be seen", "install the operator (docs/install.md), or choose another cluster with --context")
		return
	}
	for i := range c.operators {
		c.checkOperator(ctx, &c.operators[i])
	}
}

func (c *checker) checkOperator(ctx context.Context, deployment *appsv1.Deployment) {
	name := "operator " + deployment.Namespace + "/" + deployment.Name
	wanted := int32(1)
	if deployment.Spec.Replicas != nil {
		wanted = *deployment.Spec.Replicas
	}
	ready := deployment.Status.ReadyReplicas
	message := fmt.Sprintf("%d of %d replicas are ready", ready, wanted)
	if container := manager(deployment); container != nil {
		message += ", " + plain(container.Image)
		if proxy := proxyOf(container); proxy != "" {
			message += ", behind the proxy " + proxy
		}
	}
	switch {
	case wanted == 0:
		c.problem(name, "it is scaled to 0", fmt.Sprintf("kubectl scale deployment -n %s %s --replicas=1", deployment.Namespace, deployment.Name))
	case ready == 0:
		c.problem(name, message+c.whyNotReady(ctx, deployment), fmt.Sprintf("kubectl describe pods -n %s -l app.kubernetes.io/name=cdp-credential-operator", deployment.Namespace))
	default:
		c.ok(name, message)
	}
}

// whyNotReady is what a container of the Deployment waits for.
func (c *checker) whyNotReady(ctx context.Context, deployment *appsv1.Deployment) string {
	var pods corev1.PodList
	if deployment.Spec.Selector == nil || c.List(ctx, &pods, client.InNamespace(deployment.Namespace), client.MatchingLabels(deployment.Spec.Selector.MatchLabels)) != nil {
		return ""
	}
	for i := range pods.Items {
		for _, status := range pods.Items[i].Status.ContainerStatuses {
			if waiting := status.State.Waiting; waiting != nil {
				return ": " + plain(waiting.Reason)
			}
		}
	}
	if len(pods.Items) == 0 {
		return ": there are no pods, so a quota or a policy may refuse them"
	}
	return ""
}

// leaseStale is how long after its last renewal a Lease has no holder any more, beyond its own duration.
const leaseStale = 5 * time.Second

// checkLeaders looks at the Leases of the operator, in the namespaces of its Deployments or everywhere.
func (c *checker) checkLeaders(ctx context.Context) {
	const name = "leader"
	namespaces := []string{""}
	if len(c.operators) > 0 {
		namespaces = nil
		for i := range c.operators {
			if !slices.Contains(namespaces, c.operators[i].Namespace) {
				namespaces = append(namespaces, c.operators[i].Namespace)
			}
		}
	}
	found := 0
	for _, namespace := range namespaces {
		var leases coordinationv1.LeaseList
		if err := c.List(ctx, &leases, client.InNamespace(namespace)); err != nil {
			c.skip(name, err)
			return
		}
		for i := range leases.Items {
			if strings.HasPrefix(leases.Items[i].Name, "cdp-credential-operator") {
				found++
				c.checkLeader(ctx, &leases.Items[i])
			}
		}
	}
	if found == 0 {
		c.problem(name, "no Lease of the operator can be seen, so it has never led here", "see its log, unless it runs without --leader-elect")
	}
}

// checkLeader tells a leader that is gone from one whose clock is off: the latter goes on renewing.
func (c *checker) checkLeader(ctx context.Context, lease *coordinationv1.Lease) {
	name := "leader " + lease.Namespace + "/" + lease.Name
	holder, renewed := lease.Spec.HolderIdentity, lease.Spec.RenewTime
	if holder == nil || *holder == "" || renewed == nil {
		c.problem(name, "nobody leads: the last leader has stepped down, and nobody has taken over", lookAtPods(lease.Namespace))
		return
	}
	age := c.serverNow().Sub(renewed.Time)
	if age < leaseDuration(lease.Spec.LeaseDurationSeconds)+leaseStale && age > -tolerance {
		c.ok(name, "held by "+plain(*holder))
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(3 * time.Second):
	}
	again := &coordinationv1.Lease{}
	if err := c.Get(ctx, client.ObjectKeyFromObject(lease), again); err == nil && again.Spec.RenewTime != nil && !again.Spec.RenewTime.Equal(renewed) {
		c.problem(name, fmt.Sprintf("the clock of %s is %s off the API server's", plain(*holder), age.Abs().Round(time.Second)), "set the clock of the node that it runs on")
		return
	}
	c.problem(name, fmt.Sprintf("%s is gone: it last renewed the Lease %s ago, and nobody has taken over", plain(*holder), age.Round(time.Second)), lookAtPods(lease.Namespace))
}

func lookAtPods(namespace string) string {
	return "see what its pods log: kubectl logs -n " + namespace + " -l app.kubernetes.io/name=cdp-credential-operator --tail=20"
}

func leaseDuration(seconds *int32) time.Duration {
	if seconds == nil {
		return 15 * time.Second
	}
	return time.Duration(*seconds) * time.Second
}

func (c *checker) serverNow() time.Time { return c.env.Now().Add(c.clock.offset) }

// A right is what the operator's role grants: config/rbac/role.yaml, which a test compares.
type right struct {
	group, resource, subresource string
	verbs                        []string
}

var operatorRights = []right{
	{"", "secrets", "", []string{"create", "delete", "get", "list", "patch", "watch"}},
	{"cdpcredentials.io", "cdpcredentials", "", []string{"get", "list", "watch"}},
	{"cdpcredentials.io", "cdpcredentials", "status", []string{"patch"}},
	{"events.k8s.io", "events", "", []string{"create"}},
}

// checkRights asks the API server what the operator's ServiceAccount may do, in the namespaces that it watches.
func (c *checker) checkRights(ctx context.Context) {
	for i := range c.operators {
		deployment := &c.operators[i]
		account := deployment.Spec.Template.Spec.ServiceAccountName
		name := "rights of " + deployment.Namespace + "/" + account
		watched := []string{""}
		if container := manager(deployment); container != nil && argument(container, "watch-namespaces") != "" {
			watched = strings.Split(argument(container, "watch-namespaces"), ",")
		}
		missing, err := c.missingRights(ctx, "system:serviceaccount:"+deployment.Namespace+":"+account, watched)
		switch {
		case err != nil:
			c.skip(name, err)
		case len(missing) > 0:
			c.problem(name, "it may not "+strings.Join(missing, ", "), "give it back the role of config/rbac (or config/namespaced)")
		default:
			c.ok(name, "all that it needs")
		}
	}
}

// missingRights asks for several rights at once: one after the other they would take longer than anyone waits if the API server is slow.
func (c *checker) missingRights(ctx context.Context, user string, namespaces []string) ([]string, error) {
	var reviews []*authorizationv1.SubjectAccessReview
	for _, namespace := range namespaces {
		for _, right := range operatorRights {
			for _, verb := range right.verbs {
				reviews = append(reviews, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &authorizationv1.ResourceAttributes{
					Namespace: strings.TrimSpace(namespace), Verb: verb, Group: right.group, Resource: right.resource, Subresource: right.subresource,
				}}})
			}
		}
	}
	errs := make([]error, len(reviews))
	slots := make(chan struct{}, 20)
	var asked sync.WaitGroup
	for i, review := range reviews {
		slots <- struct{}{}
		asked.Go(func() {
			errs[i] = c.Create(ctx, review)
			<-slots
		})
	}
	asked.Wait()
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	var missing []string
	for _, review := range reviews {
		if what := review.Spec.ResourceAttributes; !review.Status.Allowed {
			missing = append(missing, strings.TrimSuffix(what.Verb+" "+what.Resource+"/"+what.Subresource, "/")+inNamespace(what.Namespace))
		}
	}
	return missing, nil
}

func inNamespace(namespace string) string {
	if namespace == "" {
		return ""
	}
	return " in " + namespace
}

// checkAdmission sees whether a Secret like a target would be let in. Nothing is written.
func (c *checker) checkAdmission(ctx context.Context) {
	name := "admission of Secrets in " + c.namespace
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: c.namespace, GenerateName: "cdpcred-check-", Labels: map[string]string{v1alpha1.ManagedByLabel: v1alpha1.ManagedBy},
			Annotations: map[string]string{v1alpha1.CredentialAnnotation: "cdpcred-check"},
		},
		StringData: map[string]string{"token": "placeholder"},
	}
	err := c.Create(ctx, secret, client.DryRunAll)
	var said apierrors.APIStatus
	switch {
	case err == nil:
		c.ok(name, "a Secret like a target is let in (in a dry run, with your rights)")
	case errors.As(err, &said) && refusedByPolicy(said.Status()):
		c.problem(name, plain(said.Status().Message), "have the policy, webhook or quota let the operator's Secrets in; it may treat the operator otherwise than you")
	default:
		c.skip(name, err)
	}
}

// refusedByPolicy tells a refusal by admission from one by RBAC, which is about us and not about the operator.
func refusedByPolicy(said metav1.Status) bool {
	for _, sign := range []string{"admission webhook", "ValidatingAdmissionPolicy", "exceeded quota", "failed calling webhook"} {
		if strings.Contains(said.Message, sign) {
			return true
		}
	}
	return said.Reason == metav1.StatusReasonInvalid
}
