#!/bin/sh
echo "$deploy_name $deploy_action${word:+ $word}" >>/var/log/steps
