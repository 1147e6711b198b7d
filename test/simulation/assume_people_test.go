// SPDX-License-Identifier: Apache-2.0

package simulation

// peopleAssumptions are about those who use the operator, and their pods.
var peopleAssumptions = []*assumption{manyTenants}

// manyTenants is flipped by the plan: there are more objects, in more namespaces, and most of them at one vendor.
var manyTenants = &assumption{name: "many-tenants", holds: "few objects have an endpoint in common", flip: func(*world) {}}
