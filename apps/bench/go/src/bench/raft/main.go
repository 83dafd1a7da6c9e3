// A member of a cluster of hashicorp/raft on default settings: BoltDB, which flushes every batch, TCP, and its callers in the
// process of the leader.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb"

	"bench/lines"
)

// As many keys as other systems have.
const keys = 10000

// How long a command may wait to be taken.
const patience = 10 * time.Second

// Snapshots that are kept, and connections to each other member.
const (
	snapshots   = 2
	connections = 3
)

func main() {
	var settings struct {
		// This member's place among the addresses.
		Member    int      `json:"member"`
		Addresses []string `json:"addresses"`
		Directory string   `json:"directory"`
		Value     int      `json:"value"`
	}
	lines.Settings(&settings)
	values := &store{values: map[string][]byte{}}
	member, err := start(settings.Member, settings.Addresses, settings.Directory, values)
	if err != nil {
		lines.Refuse("hashicorp/raft can't be started: " + err.Error())
	}

	value := strings.Repeat("v", settings.Value)
	var next uint64
	key := func() string { return fmt.Sprintf("%0*d", keyLength, atomic.AddUint64(&next, 1)%keys) }
	put := func() error { return member.Apply([]byte(key()+value), patience).Error() }
	get := func() error {
		// Who leads has a majority say so, and reads: linearizable.
		if err := member.VerifyLeader().Error(); err != nil {
			return err
		}
		values.get(key())
		return nil
	}
	var insisting lines.Insisting
	lines.Serve(map[string]lines.Handler{
		"leads": func(json.RawMessage) (interface{}, error) { return member.State() == raft.Leader, nil },
		"measure": func(argument json.RawMessage) (interface{}, error) {
			var load lines.Load
			if err := json.Unmarshal(argument, &load); err != nil {
				return nil, err
			}
			if load.Operation == "put" {
				return load.Run(put)
			}
			return load.Run(get)
		},
		"insist": func(argument json.RawMessage) (interface{}, error) {
			return insisting.Run(argument, func() error {
				if member.State() != raft.Leader {
					return raft.ErrNotLeader
				}
				return put()
			})
		},
		"enough": insisting.Enough,
	})
}

func start(self int, addresses []string, directory string, values raft.FSM) (*raft.Raft, error) {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, err
	}
	id := func(member int) raft.ServerID { return raft.ServerID(fmt.Sprint(member)) }
	config := raft.DefaultConfig()
	config.LocalID = id(self)
	config.LogLevel = "ERROR"
	config.LogOutput = io.Discard
	log, err := raftboltdb.NewBoltStore(filepath.Join(directory, "raft.db"))
	if err != nil {
		return nil, err
	}
	kept, err := raft.NewFileSnapshotStore(directory, snapshots, io.Discard)
	if err != nil {
		return nil, err
	}
	transport, err := raft.NewTCPTransport(addresses[self], nil, connections, patience, io.Discard)
	if err != nil {
		return nil, err
	}
	member, err := raft.NewRaft(config, values, log, log, kept, transport)
	if err != nil {
		return nil, err
	}
	var servers []raft.Server
	for i, address := range addresses {
		servers = append(servers, raft.Server{ID: id(i), Address: raft.ServerAddress(address)})
	}
	err = member.BootstrapCluster(raft.Configuration{Servers: servers}).Error()
	// A member that returns has its configuration.
	if err != nil && !errors.Is(err, raft.ErrCantBootstrap) {
		return nil, err
	}
	return member, nil
}
