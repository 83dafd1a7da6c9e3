// The process that asks etcd with its own client in Go: puts and linearizable gets, over one connection to the leader.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/clientv3"

	"bench/lines"
)

// As many keys as other systems have, and as long.
const keys = 10000

// How long a call may take.
const patience = 10 * time.Second

func main() {
	var settings struct {
		Leader string `json:"leader"`
		Value  int    `json:"value"`
	}
	lines.Settings(&settings)
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{settings.Leader}, DialTimeout: patience})
	if err != nil {
		lines.Refuse("etcd can't be reached: " + err.Error())
	}
	value := strings.Repeat("v", settings.Value)
	var next uint64
	key := func() string { return fmt.Sprintf("%016d", atomic.AddUint64(&next, 1)%keys) }
	operations := map[string]func(context.Context) error{
		"put": func(bounded context.Context) error {
			_, err := client.Put(bounded, key(), value)
			return err
		},
		"get": func(bounded context.Context) error {
			_, err := client.Get(bounded, key())
			return err
		},
	}
	lines.Serve(map[string]lines.Handler{
		"measure": func(argument json.RawMessage) (interface{}, error) {
			var load lines.Load
			if err := json.Unmarshal(argument, &load); err != nil {
				return nil, err
			}
			operation, known := operations[load.Operation]
			if !known {
				return nil, fmt.Errorf("it can't do %q", load.Operation)
			}
			return load.Run(func() error {
				bounded, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				return operation(bounded)
			})
		},
	})
}
