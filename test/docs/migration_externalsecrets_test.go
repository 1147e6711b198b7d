// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/template"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// Names that External Secrets Operator uses.
const (
	esoFinalizer = "externalsecrets.external-secrets.io/externalsecret-cleanup"
	esoManaged   = "reconcile.external-secrets.io/managed"
	esoCreatedBy = "reconcile.external-secrets.io/created-by"
	esoDataHash  = "reconcile.external-secrets.io/data-hash"
)

var (
	externalSecretKind = schema.GroupVersionKind{Group: "external-secrets.io", Version: "v1", Kind: "ExternalSecret"}
	webhookKind        = schema.GroupVersionKind{Group: "generators.external-secrets.io", Version: "v1alpha1", Kind: "Webhook"}
)

// refreshExternalSecrets stands in for External Secrets Operator, whose controller cannot be imported: its module replaces some fifty others by
// folders of its repository that the module does not contain. Its CRDs validate the objects. Like pkg/controllers/externalsecret of version 1.3.2,
// and in the same order, the stand-in does what matters for a hand-over: the label of managed Secrets, when a refresh is due (interval,
// refreshPolicy, a change of the ExternalSecret or of the Secret's data), creationPolicy and ownership, the field manager, the finalizer. Every
// interval counts as oldInterval.
func (m *migration) refreshExternalSecrets() {
	m.loop(func(ctx context.Context) error {
		es := &unstructured.Unstructured{}
		es.SetGroupVersionKind(externalSecretKind)
		err := m.reader.cluster.Client.Get(ctx, client.ObjectKey{Namespace: m.namespace, Name: "etl-token"}, es)
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		err = m.reconcileExternalSecret(ctx, es)
		if apierrors.IsConflict(err) {
			return nil // it is retried
		}
		return err
	})
}

func (m *migration) reconcileExternalSecret(ctx context.Context, es *unstructured.Unstructured) error {
	c := m.reader.cluster.Client
	if es.GetDeletionTimestamp() != nil { // with deletionPolicy Retain, the default, the Secret is left to the garbage collector
		controllerutil.RemoveFinalizer(es, esoFinalizer)
		return client.IgnoreNotFound(c.Update(ctx, es))
	}
	if controllerutil.AddFinalizer(es, esoFinalizer) {
		return c.Update(ctx, es)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: m.namespace, Name: "etl-token"}}
	err := c.Get(ctx, client.ObjectKeyFromObject(secret), secret)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	owner := client.FieldOwner("externalsecrets.external-secrets.io/" + es.GetName())
	exists := err == nil
	if exists && secret.Labels[esoManaged] != "true" {
		before := secret.DeepCopy()
		metav1.SetMetaDataLabel(&secret.ObjectMeta, esoManaged, "true")
		return c.Patch(ctx, secret, client.MergeFrom(before), owner)
	}
	if !dueForRefresh(es) && validSecret(es, secret, exists) {
		return nil
	}
	values, err := m.generate(ctx, es)
	if err != nil {
		return err
	}
	if err := fill(es, secret, values); err != nil {
		return err
	}
	if exists {
		err = c.Update(ctx, secret, owner)
	} else {
		err = c.Create(ctx, secret, owner)
	}
	if err != nil {
		return err
	}
	m.oldWrites.Add(1)
	status := map[string]any{"refreshTime": time.Now().UTC().Format(time.RFC3339), "syncedResourceVersion": versionOf(es)}
	if err := unstructured.SetNestedMap(es.Object, status, "status"); err != nil {
		return err
	}
	return c.Status().Update(ctx, es)
}

// versionOf changes with the spec and with the users' metadata.
func versionOf(es *unstructured.Unstructured) string {
	return fmt.Sprintf("%d-%s", es.GetGeneration(), hashOf([]any{es.GetLabels(), es.GetAnnotations()}))
}

func hashOf(value any) string {
	content, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%x", sha256.Sum224(content))
}

func dueForRefresh(es *unstructured.Unstructured) bool {
	synced, _, _ := unstructured.NestedString(es.Object, "status", "syncedResourceVersion")
	at, _, _ := unstructured.NestedString(es.Object, "status", "refreshTime")
	if policy, _, _ := unstructured.NestedString(es.Object, "spec", "refreshPolicy"); policy == "CreatedOnce" {
		return synced == "" || at == ""
	}
	refreshed, err := time.Parse(time.RFC3339, at)
	return synced != versionOf(es) || err != nil || time.Since(refreshed) > oldInterval
}

func creationPolicy(es *unstructured.Unstructured) string {
	policy, _, _ := unstructured.NestedString(es.Object, "spec", "target", "creationPolicy")
	return policy
}

// validSecret reports whether nobody else has changed the data; such a change would be undone.
func validSecret(es *unstructured.Unstructured, secret *corev1.Secret, exists bool) bool {
	if creationPolicy(es) == "Orphan" {
		return true
	}
	return exists && secret.Labels[esoManaged] == "true" && secret.Annotations[esoDataHash] == hashOf(secret.Data)
}

// fill applies the ExternalSecret to the Secret.
func fill(es *unstructured.Unstructured, secret *corev1.Secret, values map[string]any) error {
	current := metav1.GetControllerOf(secret)
	delete(secret.Labels, esoCreatedBy)
	switch {
	case creationPolicy(es) != "Owner":
		if current != nil && current.UID == es.GetUID() {
			secret.OwnerReferences = nil
		}
	case current != nil && current.UID != es.GetUID():
		return errors.New("another controller owns the Secret") // SetControllerReference refuses that
	default:
		secret.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(es, externalSecretKind)}
		metav1.SetMetaDataLabel(&secret.ObjectMeta, esoCreatedBy, hashOf(es.GetNamespace()+"/"+es.GetName()))
	}
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	templates, _, err := unstructured.NestedStringMap(es.Object, "spec", "target", "template", "data")
	if err != nil {
		return err
	}
	for key, text := range templates {
		value, err := execute(text, values)
		if err != nil {
			return err
		}
		secret.Data[key] = []byte(value)
	}
	metav1.SetMetaDataLabel(&secret.ObjectMeta, esoManaged, "true")
	metav1.SetMetaDataAnnotation(&secret.ObjectMeta, esoDataHash, hashOf(secret.Data))
	return nil
}

// generate returns the response that the webhook generator gets.
func (m *migration) generate(ctx context.Context, es *unstructured.Unstructured) (map[string]any, error) {
	from, _, _ := unstructured.NestedSlice(es.Object, "spec", "dataFrom")
	name, _, _ := unstructured.NestedString(from[0].(map[string]any), "sourceRef", "generatorRef", "name")
	webhook := &unstructured.Unstructured{}
	webhook.SetGroupVersionKind(webhookKind)
	if err := m.reader.cluster.Client.Get(ctx, client.ObjectKey{Namespace: m.namespace, Name: name}, webhook); err != nil {
		return nil, err
	}
	values := map[string]any{}
	secrets, _, _ := unstructured.NestedSlice(webhook.Object, "spec", "secrets")
	for _, item := range secrets {
		as, _, _ := unstructured.NestedString(item.(map[string]any), "name")
		ref, _, _ := unstructured.NestedString(item.(map[string]any), "secretRef", "name")
		var secret corev1.Secret
		if err := m.reader.cluster.Client.Get(ctx, client.ObjectKey{Namespace: m.namespace, Name: ref}, &secret); err != nil {
			return nil, err
		}
		if secret.Labels["external-secrets.io/type"] != "webhook" {
			return nil, fmt.Errorf("the webhook may not use the Secret %s without its label", ref)
		}
		data := map[string]string{}
		for key, value := range secret.Data {
			data[key] = string(value)
		}
		values[as] = data
	}
	headers, _, err := unstructured.NestedStringMap(webhook.Object, "spec", "headers")
	if err != nil {
		return nil, err
	}
	for header, text := range headers {
		if headers[header], err = execute(text, values); err != nil {
			return nil, err
		}
	}
	field := func(name string) string {
		value, _, _ := unstructured.NestedString(webhook.Object, "spec", name)
		return value
	}
	return m.requestToken(ctx, field("url"), field("method"), field("body"), headers)
}

func execute(text string, values any) (string, error) {
	t, err := template.New("").Option("missingkey=error").Funcs(template.FuncMap{
		"b64enc": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	}).Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = t.Execute(&out, values)
	return out.String(), err
}

// requestToken sends a request through the proxy, and returns the JSON of the response.
func (m *migration) requestToken(ctx context.Context, address, method, body string, headers map[string]string) (map[string]any, error) {
	proxy, err := url.Parse(m.proxy)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(m.endpoints.CABundle())
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the token endpoint answers %d", answer.StatusCode)
	}
	values := map[string]any{}
	err = json.NewDecoder(bytes.NewReader(content)).Decode(&values)
	return values, err
}

func basicAuthorization(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}
