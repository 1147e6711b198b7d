// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is what users may say to the operator and what it promises to report.
// +kubebuilder:object:generate=true
// +groupName=cdpcredentials.io
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of this package's types.
var GroupVersion = schema.GroupVersion{Group: "cdpcredentials.io", Version: "v1alpha1"}

var schemeBuilder = runtime.NewSchemeBuilder(func(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &CDPCredential{}, &CDPCredentialList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
})

// AddToScheme registers this package's types.
var AddToScheme = schemeBuilder.AddToScheme
