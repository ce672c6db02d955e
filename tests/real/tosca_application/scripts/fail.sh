#!/bin/sh
echo "$deploy_name failed" >>/var/log/steps
exit 1
