// SPDX-License-Identifier: Apache-2.0

// Package gitops tests how Argo CD and Flux see a CDPCredential: the Lua of gitops/argocd as Argo CD runs it, the conditions of the real operator as
// kstatus reads them, and the examples and documents that users copy from. It is a module of its own, because the product needs neither Lua nor
// kstatus.
package gitops
