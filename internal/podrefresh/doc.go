// SPDX-License-Identifier: Apache-2.0

// Package podrefresh has kubelets show a changed Secret in mounted volumes within a second or two instead of a minute or more: after the Secret was
// written, it changes an annotation of the pods that mount it, which makes their kubelets look at their volumes at once. Pods are neither watched nor
// cached, and nothing is asked of the API server unless a write was handed in. It is best effort: a kubelet that is not told notices the change by
// itself, later.
package podrefresh
