// Prints what owners have earned, in micro-credits: go run ./credits redis://localhost:6379/0 alice bob
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/redis/go-redis/v9"
)

func main() {
	options, err := redis.ParseURL(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	ctx, server := context.Background(), redis.NewClient(options)
	books, err := server.HGet(ctx, "gmv:{0}", "#m:books").Int()
	if err != nil {
		log.Fatal(err)
	}
	for _, owner := range os.Args[2:] {
		var micros int64
		for book := 0; book < books; book++ {
			held, err := server.HGet(ctx, fmt.Sprintf("gmv:{%d}", book), "o:"+owner).Int64()
			if err != nil && !errors.Is(err, redis.Nil) { // Nil: nothing earned in this book
				log.Fatal(err)
			}
			micros += held
		}
		fmt.Println(owner, micros)
	}
}
