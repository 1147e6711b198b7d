package controllers

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// newFailure is the condition of the kind if it has a reason to warn of that it did not have before.
func newFailure(before, after []metav1.Condition, kind string) *metav1.Condition {
	is := meta.FindStatusCondition(after, kind)
	if is == nil || is.Status == metav1.ConditionTrue {
		return nil
	}
	if was := meta.FindStatusCondition(before, kind); was != nil && was.Status == is.Status && was.Reason == is.Reason {
		return nil
	}
	return is
}

// secretReference is what an event says it is about, beside the object.
func secretReference(namespace, name string) runtime.Object {
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = namespace, name
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return secret
}
