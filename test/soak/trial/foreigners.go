// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// foreigners are Secrets of somebody else. None of them may ever change.
type foreigners struct {
	admin   client.Client
	settled []*corev1.Secret // as they were created; removed ones are not among them
	changed []string
}

// settleAll creates foreign Secrets among the others, of kinds that may be mistaken for ours. Some have the names of targets.
func (f *foreigners) settleAll(ctx context.Context) error {
	for _, namespace := range namespaces() {
		for name, change := range map[string]func(*corev1.Secret){
			"plain":           func(*corev1.Secret) {},
			"looks-like-ours": func(s *corev1.Secret) { s.Labels = map[string]string{v1alpha1.ManagedByLabel: v1alpha1.ManagedBy} },
			"another-operator": func(s *corev1.Secret) {
				s.Annotations = map[string]string{v1alpha1.StateAnnotation: "{}", v1alpha1.ExpiresAtAnnotation: "2026-01-01T00:00:00Z"}
			},
			"of-nobody-left": func(s *corev1.Secret) {
				s.Annotations = map[string]string{v1alpha1.CredentialAnnotation: "no-such-credential"}
			},
			"immutable":        func(s *corev1.Secret) { s.Immutable = new(true) },
			"taken-token":      func(*corev1.Secret) {},
			"cred-000-token-2": func(*corev1.Secret) {},
		} {
			if _, err := f.settle(ctx, namespace, name, change); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *foreigners) settle(ctx context.Context, namespace, name string, change ...func(*corev1.Secret)) (*corev1.Secret, error) {
	secret := &corev1.Secret{StringData: map[string]string{"token": "not yours", "password": "hands off"}}
	secret.Namespace, secret.Name = namespace, name
	for _, c := range change {
		c(secret)
	}
	if err := f.admin.Create(ctx, secret); err != nil {
		return nil, err
	}
	f.settled = append(f.settled, secret)
	return secret, nil
}

// leave removes a foreign Secret again, if it is unchanged.
func (f *foreigners) leave(ctx context.Context, secret *corev1.Secret) error {
	f.compare(ctx, secret)
	if err := f.admin.Delete(ctx, secret, client.Preconditions{UID: &secret.UID}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	for i, s := range f.settled {
		if s == secret {
			f.settled = append(f.settled[:i], f.settled[i+1:]...)
			break
		}
	}
	return nil
}

// check compares all that still exist with what they were.
func (f *foreigners) check(ctx context.Context) {
	for _, s := range f.settled {
		f.compare(ctx, s)
	}
}

// compare compares the versions, because a write that changes nothing is a write, too.
func (f *foreigners) compare(ctx context.Context, was *corev1.Secret) {
	is := &corev1.Secret{}
	err := f.admin.Get(ctx, client.ObjectKeyFromObject(was), is)
	switch {
	case apierrors.IsNotFound(err) || err == nil && is.UID != was.UID:
		f.changed = append(f.changed, fmt.Sprintf("%s/%s was deleted", was.Namespace, was.Name))
	case err == nil && is.ResourceVersion != was.ResourceVersion:
		var by []string
		for _, field := range is.ManagedFields {
			by = append(by, field.Manager)
		}
		f.changed = append(f.changed, fmt.Sprintf("%s/%s was written by one of %s", was.Namespace, was.Name, strings.Join(by, ", ")))
	}
}

// envious returns CDPCredentials whose target is a foreign Secret: they must get no token and call no endpoint.
func (f *foreigners) envious(members []*member) []*member {
	var list []*member
	for _, namespace := range namespaces() {
		m := *members[0]
		m.namespace, m.name = namespace, "taken"
		m.client.ID = "envious-" + namespace
		list = append(list, &m)
	}
	return list
}
