// SPDX-License-Identifier: Apache-2.0

package simulation

// peopleAssumptions concern users and their pods.
var peopleAssumptions = []*assumption{manyTenants}

// manyTenants is flipped by the plan: more objects, in more namespaces, most of them with the same vendor.
var manyTenants = &assumption{name: "many-tenants", holds: "few objects share an endpoint", flip: func(*world) {}}
