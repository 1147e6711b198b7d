// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// roleBare is the first argument of the process that runs the bare loop.
const roleBare = "bare"

// loopBare makes only the unavoidable requests: GET the client Secret, exchange, CREATE the target, PATCH status and, with -event, CREATE an event,
// with the content that users are promised. It keeps, watches and checks nothing. Built-in types travel as protobuf, and the client has no rate
// limit.
func loopBare(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bare", flag.ContinueOnError)
	kubeconfig := flags.String("kubeconfig", "", "Kubeconfig to use.")
	name := flags.String("fleet", "", "Name of the fleet.")
	namespaces := flags.Int("namespaces", 10, "Number of namespaces of the fleet.")
	first := flags.Int("first", 0, "Number of the first object.")
	count := flags.Int("count", 0, "Number of objects.")
	withEvent := flags.Bool("event", false, "Create an event, too.")
	if err := flags.Parse(args); err != nil {
		return err
	}
	e := &endpoint{}
	if err := json.NewDecoder(os.Stdin).Decode(&e.introduction); err != nil {
		return fmt.Errorf("read the endpoint's address: %w", err)
	}
	l, err := newLoop(*kubeconfig, e)
	if err != nil {
		return err
	}
	f := &fleet{name: *name, namespaces: *namespaces, endpoint: e}
	return each(ctx, *count, func(ctx context.Context, i int) error { return l.do(ctx, f, *first+i, *withEvent) })
}

type loop struct {
	typed     kubernetes.Interface
	untyped   dynamic.Interface
	endpoint  *endpoint
	exchanger *http.Client
}

func newLoop(kubeconfig string, e *endpoint) (*loop, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS = -1
	untyped, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	binary := rest.CopyConfig(config)
	binary.ContentType = "application/vnd.kubernetes.protobuf"
	binary.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	typed, err := kubernetes.NewForConfig(binary)
	if err != nil {
		return nil, err
	}
	ranges, err := egress.ParsePrefixes("127.0.0.0/8")
	if err != nil {
		return nil, err
	}
	transport, err := (&egress.Transports{Policy: egress.Policy{Allowed: ranges}, MaxConnsPerHost: workers}).For("bare", e.CABundle)
	if err != nil {
		return nil, err
	}
	return &loop{typed: typed, untyped: untyped, endpoint: e, exchanger: &http.Client{Transport: transport}}, nil
}

func (l *loop) do(ctx context.Context, f *fleet, i int, withEvent bool) error {
	target, name := f.target(i), f.credential(i)
	secret, err := l.typed.CoreV1().Secrets(target.Namespace).Get(ctx, f.clientSecret(i).Name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("get the client Secret: %w", err)
	}
	token, err := l.exchange(ctx, secret)
	if err != nil {
		return err
	}
	made := &corev1.Secret{ObjectMeta: metaOf(target), Data: map[string][]byte{"token": []byte(token)}}
	made.Labels = map[string]string{v1alpha1.ManagedByLabel: v1alpha1.ManagedBy}
	now := time.Now().UTC().Format(time.RFC3339)
	made.Annotations = map[string]string{v1alpha1.CredentialAnnotation: name.Name, v1alpha1.ExpiresAtAnnotation: now}
	if _, err := l.typed.CoreV1().Secrets(target.Namespace).Create(ctx, made, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create the target: %w", err)
	}
	credentials := schema.GroupVersionResource{Group: v1alpha1.GroupVersion.Group, Version: v1alpha1.GroupVersion.Version, Resource: "cdpcredentials"}
	patch := fmt.Appendf(nil, `{"status":{"observedGeneration":1,"provider":"oauth2","targetName":%q,"tokenExpirationTime":%q,"lastRefreshTime":%q,"nextRefreshTime":%q,
		"issuance":{"day":%q,"count":1},"conditions":[
		{"type":"Ready","status":"True","reason":"TokenValid","message":"The target Secret holds a valid token","lastTransitionTime":%q,"observedGeneration":1},
		{"type":"Refreshed","status":"True","reason":"TokenIssued","message":"The last token was issued and written to the target Secret","lastTransitionTime":%q,"observedGeneration":1}]}}`,
		target.Name, now, now, now, now[:len(time.DateOnly)], now, now)
	if _, err := l.untyped.Resource(credentials).Namespace(name.Namespace).Patch(ctx, name.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		return fmt.Errorf("patch status: %w", err)
	}
	if !withEvent {
		return nil
	}
	event := &eventsv1.Event{
		ObjectMeta: metaOf(name), EventTime: metav1.NowMicro(), ReportingController: "bare", ReportingInstance: "bare-1",
		Action: "Refresh", Reason: "TokenRefreshed", Type: corev1.EventTypeNormal, Note: "Wrote a new token to Secret " + target.Name,
		Regarding: corev1.ObjectReference{APIVersion: v1alpha1.GroupVersion.String(), Kind: "CDPCredential", Namespace: name.Namespace, Name: name.Name},
	}
	if _, err := l.typed.EventsV1().Events(name.Namespace).Create(ctx, event, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create an event: %w", err)
	}
	return nil
}

func (l *loop) exchange(ctx context.Context, secret *corev1.Secret) (string, error) {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {string(secret.Data["client-id"])}, "client_secret": {string(secret.Data["client-secret"])},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.endpoint.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("exchange: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := l.exchanger.Do(r)
	if err != nil {
		return "", fmt.Errorf("exchange: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		return "", errors.Join(fmt.Errorf("exchange: %s, no token", response.Status), err)
	}
	return answer.AccessToken, nil
}

// runBare runs the loop in a process of its own and returns its CPU time in seconds.
func runBare(ctx context.Context, temp, kubeconfig string, f *fleet, first, count int, withEvent bool) (float64, error) {
	program, err := os.Executable()
	if err != nil {
		return 0, err
	}
	where, err := json.Marshal(f.endpoint.introduction)
	if err != nil {
		return 0, err
	}
	cmd := framework.Command(ctx, temp, program, roleBare, "-kubeconfig", kubeconfig, "-fleet", f.name,
		fmt.Sprintf("-namespaces=%d", f.namespaces), fmt.Sprintf("-first=%d", first), fmt.Sprintf("-count=%d", count), fmt.Sprintf("-event=%t", withEvent))
	cmd.Stdin = strings.NewReader(string(where))
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("run the bare loop: %w", err)
	}
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), nil
}
