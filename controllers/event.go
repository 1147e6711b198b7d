package controllers

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// secretReference is what an event says it is about, beside the object.
func secretReference(namespace, name string) runtime.Object {
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = namespace, name
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return secret
}
